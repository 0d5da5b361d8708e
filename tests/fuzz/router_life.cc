#include "tests/fuzz/router_life.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <set>
#include <utility>

#include "bridge/definition/assemble.h"
#include "bridge/journal/open_calls.h"
#include "bridge/router/router.h"
#include "tests/fuzz/life_hub.h"
#include "tests/fuzz/router_audit.h"

namespace atomemo::fuzz {
namespace {

using router::CallKind;
using router::CallState;
using router::HubLoss;
using router::LiveCall;
using router::pb::HubState;

constexpr std::size_t kKinds = router::kCallKindCount;
constexpr char kTexts[] =
    R"({"version":"1.0.0","display_name":{"en_US":"P"},"description":{"en_US":"d"},"icon":"i",
    "lang":"typescript","locales":[]})";
constexpr char kTool[] =
    R"({"display_name":{"en_US":"T"},"description":{"en_US":"d"},"icon":"i",
    "parameters":[{"name":"city","type":"resource_locator","modes":[{"type":"list","search_list_method":"list"}]},
                  {"name":"fields","type":"resource_mapper","mapping_method":"map"}]})";
constexpr char kCredential[] =
    R"({"name":"key","display_name":{"en_US":"K"},"description":{"en_US":"d"},"icon":"i",
    "parameters":[{"name":"key","type":"encrypted_string"}]})";
constexpr char kOnce[] = "once";
constexpr char kRetrySafe[] = "retry-safe";
constexpr std::array<const char*, 2> kPlugins = {"debugged", "released"};
constexpr std::array<const char*, 2> kTopicNames = {"debug_plugin:debugged",
                                                    "release_plugin:released__release__1.0.0"};
constexpr std::size_t kWorkers = 3;
constexpr std::size_t kMostCalls = 60;
// Repeats come while the bridge surely remembers the call.
constexpr absl::Duration kRepeatWithin = absl::Minutes(9);

definition::DefinitionPtr MakeDefinition(const std::string& name, int variant) {
  base::Json plugin = base::ParseJson(kTexts).value();
  plugin["name"] = name;
  plugin["icon"] = absl::StrCat("i", variant);
  definition::Draft draft(std::move(definition::JudgePlugin(std::move(plugin)).value));
  for (const char* tool_name : {kOnce, kRetrySafe}) {
    base::Json tool = base::ParseJson(kTool).value();
    tool["name"] = tool_name;
    if (variant < 2 || tool_name == kOnce) {
      (void)draft.Add(definition::MakePart(definition::PartKind::kTool, tool));
    }
  }
  (void)draft.Add(definition::MakePart(definition::PartKind::kCredential,
                                       base::ParseJson(kCredential).value()));
  return draft.Assemble();
}

// Three of each plugin.
const definition::DefinitionPtr& Definition(std::size_t plugin, std::size_t variant) {
  static const auto* const all = new std::array<std::array<definition::DefinitionPtr, 3>, 2>([] {
    std::array<std::array<definition::DefinitionPtr, 3>, 2> made;
    for (std::size_t i = 0; i < made.size(); ++i) {
      for (int v = 0; v < 3; ++v)
        made[i][static_cast<std::size_t>(v)] = MakeDefinition(kPlugins[i], v);
    }
    return made;
  }());
  return (*all)[plugin][variant];
}

router::PluginReply MakeReply(std::optional<CallKind> kind, const std::string& id,
                              const std::string& event,
                              absl::StatusOr<router::CallOutcome> outcome) {
  router::PluginReply reply;
  reply.request_id = id;
  reply.kind = kind;
  reply.event = event;
  reply.size = 100;
  reply.outcome = [outcome = std::move(outcome)](const router::HubEvent&) { return outcome; };
  return reply;
}

router::pb::PluginError ErrorWith(const std::string& code) {
  router::pb::PluginError error;
  error.set_code(code);
  return error;
}

class World;

// One stream of a worker's session.
class LifeSink : public router::CallSink {
 public:
  LifeSink(World& world, std::size_t worker, CallKind kind)
      : world_(world), worker_(worker), kind_(kind) {}

  void Send(const router::CallForWorker& call) override;
  void Cancel(absl::string_view request_id, absl::string_view) override;
  void Reject(absl::string_view request_id,
              const std::vector<router::pb::DefinitionViolation>&) override;
  void Drained() override {
    Use("drained");
    drained = true;
  }
  void Finish(absl::Status) override {
    Use("finish");
    closed = true;
  }
  bool IsOpen() const override { return !ended; }
  std::string WhyClosed() const override { return ended ? "it broke" : ""; }

  bool closed = false;  // the router was told, or has ended it itself
  bool ended = false;   // the router is not told yet
  bool drained = false;

 private:
  void Use(absl::string_view what);

  World& world_;
  const std::size_t worker_;
  const CallKind kind_;
};

class LifeSessionSink : public router::SessionSink {
 public:
  LifeSessionSink(World& world, std::size_t worker) : world_(world), worker_(worker) {}
  void Send(router::pb::SessionEvent event) override;
  void Finish(absl::Status) override;

  bool finished = false;
  bool draining = false;

 private:
  World& world_;
  const std::size_t worker_;
};

// One process of a plugin.
struct Worker {
  struct Held {
    CallKind kind;
    std::string event;
    // Its answer, or an error's code, once it has one.
    std::optional<std::string> answer;
    bool is_failure = false;
    bool is_invalid = false;
    // Nobody waits for it: it may still be answered in this session.
    bool is_cancelled = false;
  };

  std::size_t plugin = 0;
  std::string instance_id;
  bool alive = true;
  std::map<std::string, Held> held;

  std::string session_id;  // empty: none
  std::shared_ptr<LifeSessionSink> events;
  std::array<std::shared_ptr<LifeSink>, kKinds> streams;
  bool published = false;
  // Its replies do not tell their stream.
  bool one_stream = false;
  // The last bridge that it has told what it has; whether before that one could think it is gone.
  int bridge = 0;
  bool was_back_in_time = false;
};

class World : public router::CallJournal {
 public:
  explicit World(absl::string_view bytes) : bytes_(bytes), hub_(scheduler_, pulse_, fault_) {
    const std::size_t profile = Take(8);
    hub_.is_honest = profile < 5;
    is_narrow_ = profile == 4 || profile == 7;
    hub_.may_differ = [this](const MadeCall& call, const TakenAnswer& first) {
      return MayDiffer(call, first);
    };
    options_.timeouts.invoke = absl::Seconds(30);
    if (is_narrow_) {
      options_.limits.max_calls = 6;
      options_.limits.max_queued_calls = 3;
      options_.limits.max_sessions = 4;
      options_.limits.max_parked_answers = 2;
      options_.limits.max_hub_calls = 1;
      options_.limits.outbox.max_answers = 4;
      options_.limits.outbox.max_topic_answers = 3;
      options_.limits.answered_ids.max_answer_bytes = 600;
    }
    StartBridge();
  }

  RouterLife Live() {
    while (!bytes_.empty() && fault_.text.empty()) {
      Step();
      Check("");
    }
    if (fault_.text.empty()) End();
    life_.fault = fault_.text;
    life_.calls = hub_.calls.size();
    life_.bridges = static_cast<std::size_t>(hub_.bridge);
    return std::move(life_);
  }

  // ---- router::CallJournal

  void Accepted(absl::string_view topic, absl::string_view request_id, absl::string_view event,
                absl::Duration time_left) override {
    Note({journal::NoteKind::kAccepted, topic, request_id, event,
          absl::ToUnixMillis(scheduler_.Now() + time_left)});
  }
  void Started(absl::string_view topic, absl::string_view request_id,
               absl::string_view instance_id) override {
    Note({journal::NoteKind::kStarted, topic, request_id, instance_id});
  }
  void Failed(absl::string_view topic, absl::string_view request_id,
              const router::pb::PluginError& error) override {
    const std::string bytes = error.SerializeAsString();
    Note({journal::NoteKind::kFailed, topic, request_id, bytes});
  }
  void Ended(absl::string_view topic, absl::string_view request_id) override {
    Note({journal::NoteKind::kEnded, topic, request_id});
  }

  // ---- What workers are told

  void Expect(bool condition, absl::string_view what, absl::string_view of) {
    fault_.Expect(condition, what, of);
  }

  void Got(std::size_t number, CallKind kind, const std::string& id, const std::string& event,
           const LifeSink* sink) {
    if (!pulse_.Beat()) return;
    MadeCall& call = hub_.calls[id];
    std::vector<Run>& runs = runs_[id];
    for (const Run& run : runs) {
      fault_.Expect(call.retry_safe, "a second run", id);
      fault_.Expect(run.bridge == hub_.bridge, "a second run of what an earlier bridge ran", id);
      fault_.Expect(run.sink->closed, "a second run beside the first", id);
      call.contested = true;
    }
    runs.push_back({hub_.bridge, workers_[number].streams[static_cast<std::size_t>(kind)]});
    fault_.Expect(runs.back().sink.get() == sink, "a call in another stream", id);
    workers_[number].held[id] = {kind, event, std::nullopt};
  }
  void Cancelled(std::size_t number, const std::string& id) {
    if (!pulse_.Beat()) return;
    const auto held = workers_[number].held.find(id);
    if (held != workers_[number].held.end()) held->second.is_cancelled = true;
  }
  void Rejected(std::size_t number, const std::string& id) {
    if (!pulse_.Beat()) return;
    const auto held = workers_[number].held.find(id);
    if (held != workers_[number].held.end() && held->second.answer) {
      workers_[number].held.erase(held);
    }
  }
  void Told(std::size_t number, const router::pb::SessionEvent& event) {
    if (!pulse_.Beat()) return;
    for (const std::string& id : event.delivered().request_ids()) {
      const auto held = workers_[number].held.find(id);
      if (held == workers_[number].held.end() || !held->second.answer) continue;
      const LiveCall* const call = Find(id);
      const bool is_its = call != nullptr && call->answer != nullptr &&
                          GistOf(*call->answer) == *held->second.answer;
      fault_.Expect(!is_its || !hub_.calls[id].taken.empty(), "delivered, and not", id);
      workers_[number].held.erase(held);
    }
  }

 private:
  struct Run {
    int bridge;
    std::shared_ptr<LifeSink> sink;
  };

  // ---- Chance

  std::size_t Take(std::size_t count) {
    if (bytes_.empty()) return 0;
    const auto byte = static_cast<unsigned char>(bytes_.front());
    bytes_.remove_prefix(1);
    return byte % count;
  }
  template <typename... Args>
  void Tell(const Args&... args) {
    life_.story.push_back(absl::StrCat(args...));
    static const bool is_asked = std::getenv("ATOMEMO_FUZZ_TELL") != nullptr;
    if (is_asked) std::fprintf(stderr, "%s\n", life_.story.back().c_str());
  }

  // ---- The bridge

  void Note(const journal::CallNote& note) {
    if (pulse_.Beat()) journal_.Apply(note);
  }

  void StartBridge() {
    router_ = std::make_unique<router::Router>(hub_, scheduler_, options_, this);
    hub_.listener = router_.get();
    router_->Recover(journal_.Calls(scheduler_.Now()));
    bridge_began_ = scheduler_.Now();
    is_draining_ = is_drained_ = false;
  }

  // This bridge has had to decide without the worker what became of the calls that it has.
  void DecideWithout(const Worker& worker) {
    for (const auto& [id, held] : worker.held) {
      const auto made = hub_.calls.find(id);
      if (made != hub_.calls.end()) made->second.contested = true;
    }
  }

  void KillBridge() {
    Tell("the bridge ends");
    hub_.BridgeGone(Take(4));
    pulse_.DieAfter(0);
    router_ = nullptr;
    pulse_.Revive();
    decided_.clear();
    for (Worker& worker : workers_) {
      const bool is_late = scheduler_.Now() >= bridge_began_ + options_.worker_grace;
      if (worker.bridge != hub_.bridge && is_late) DecideWithout(worker);
      SessionGone(worker);
    }
    const journal::CallSet open = journal_.Keys();
    for (auto& [id, call] : hub_.calls) {
      if (open.contains(std::make_pair(call.topic, id))) continue;
      const bool is_old = scheduler_.Now() > call.made_at + kRepeatWithin;
      const bool ran = runs_.count(id) > 0;
      if (call.taken.empty() && (call.taken_along || (is_old && ran))) call.lost = true;
      if (!call.taken.empty() && ran) call.outlived = true;
    }
    ++hub_.bridge;
    timers_ran_ = false;
    StartBridge();
  }

  void DieWithin() {
    const std::size_t deeds = Take(6);
    Tell("the bridge will see ", deeds, " more deeds done");
    pulse_.DieAfter(deeds);
    Step();
    KillBridge();
  }

  void Drain() {
    if (std::exchange(is_draining_, true)) return;
    Tell("the bridge drains");
    const int bridge = hub_.bridge;
    router_->Drain(absl::Seconds(10), [this, bridge](std::size_t) {
      if (bridge != hub_.bridge) return;  // it was killed meanwhile
      fault_.Expect(!is_drained_, "drained twice", "");
      is_drained_ = true;
    });
  }

  // ---- The hub

  // A topic that the bridge keeps.
  std::string* AnyTopic() {
    const std::vector<std::string> topics = hub_.Topics();
    if (topics.empty()) return nullptr;
    topic_ = topics[Take(topics.size())];
    return &topic_;
  }
  std::string* AnyTopicThatIsUp() {
    std::string* const topic = AnyTopic();
    return topic != nullptr && hub_.channels[*topic].up ? topic : nullptr;
  }

  void NewCall() {
    std::string* const topic = AnyTopicThatIsUp();
    if (topic == nullptr || hub_.calls.size() >= kMostCalls) return;
    const std::string id = absl::StrCat("c", hub_.calls.size() + 1);
    MadeCall call;
    call.topic = *topic;
    call.made_at = scheduler_.Now();
    // One of the hub's events, a tool's method that does not exist, and two bad calls.
    const std::vector<router::HubEvent>& events = router::HubEvents();
    const std::size_t choice = Take(2 * events.size() + 3);
    if (choice < 2 * events.size()) {
      const router::HubEvent& event =
          choice < events.size() ? events[choice] : *router::FindHubEvent("invoke_tool");
      const char* const tool = choice % 2 == 0 ? kOnce : kRetrySafe;
      call.call = router::HubCall{&event, id, event.is_for_credential ? "key" : tool, "", {}};
      if (event.methods != nullptr)
        call.call->method = event.name == "locator_list" ? "list" : "map";
      call.retry_safe = event.obeys_tool_policy && tool == kRetrySafe;
      call.event = std::string(event.name);
    } else {
      call.event = choice % 2 == 0 ? "invoke_tool" : "no_such_event";
      call.error = choice % 2 == 0 ? absl::InvalidArgumentError("no tool")
                                   : absl::UnimplementedError("unknown");
    }
    Tell("the hub calls ", id, ", a ", call.event, call.retry_safe ? ", safe to retry" : "");
    hub_.calls[id] = std::move(call);
    Send(id);
  }

  void Send(const std::string& id) {
    MadeCall& made = hub_.calls[id];
    made.bridge = hub_.bridge;
    if (made.call) {
      router_->OnHubCall(made.topic, *made.call);
    } else {
      router_->OnBadHubCall(made.topic, made.event, id, made.error);
    }
  }

  bool MayRepeat(const std::string& id, const MadeCall& call) {
    if (!hub_.channels.count(call.topic) || !hub_.channels[call.topic].up) return false;
    // An answered call is repeated by chance alone, and then while the bridge remembers it.
    if (call.bridge == hub_.bridge) {
      return call.taken.empty() || scheduler_.Now() < call.made_at + kRepeatWithin;
    }
    const bool ran = call.call && runs_.count(id) > 0;
    return call.taken.empty() && !call.taken_along && !call.convicted &&
           (!ran || scheduler_.Now() < call.made_at + kRepeatWithin);
  }
  void Repeat() {
    if (hub_.calls.empty()) return;
    auto call = std::next(hub_.calls.begin(), static_cast<std::ptrdiff_t>(Take(hub_.calls.size())));
    if (!MayRepeat(call->first, call->second)) return;
    Tell("the hub repeats ", call->first);
    Send(call->first);
  }
  // As after each registration.
  void RepeatUnanswered(const std::string& topic) {
    std::vector<std::string> ids;
    for (const auto& [id, call] : hub_.calls) {
      if (call.topic == topic && call.taken.empty() && MayRepeat(id, call)) ids.push_back(id);
    }
    for (const std::string& id : ids) {
      Tell("the hub repeats ", id);
      Send(id);
    }
  }

  void Join() {
    std::string* const topic = AnyTopic();
    if (topic == nullptr || hub_.channels[*topic].up || hub_.channels[*topic].leaving) return;
    Tell("the topic ", *topic, " is registered");
    hub_.Join(*topic);
    if (Take(3) == 0) RepeatUnanswered(*topic);
  }
  void JudgeDefinition() {
    std::string* const topic = AnyTopicThatIsUp();
    if (topic == nullptr || !hub_.channels[*topic].asked || hub_.channels[*topic].leaving) return;
    const bool is_taken = Take(3) > 0;
    Tell("the definition of ", *topic, is_taken ? " is taken" : " is refused");
    hub_.channels[*topic].asked = false;
    hub_.Tell(*topic, is_taken ? HubState::STATE_REGISTERED : HubState::STATE_REJECTED);
  }
  void AskDefinition() {
    std::string* const topic = AnyTopic();
    if (topic == nullptr || hub_.channels[*topic].leaving) return;
    hub_.Tell(*topic, hub_.channels[*topic].up && !hub_.channels[*topic].asked
                          ? HubState::STATE_REGISTERED
                          : HubState::STATE_CONNECTING);
  }
  HubLoss::Cause AnyCause() {
    const std::size_t choice = Take(3);
    return hub_.is_honest ? HubLoss::Cause::kOther : static_cast<HubLoss::Cause>(choice);
  }
  void CrashChannel() {
    std::string* const topic = AnyTopicThatIsUp();
    if (topic == nullptr) return;
    Tell("the channel ", *topic, " crashes");
    hub_.EndChannel(*topic, AnyCause());
  }
  void CutSocket() {
    std::string* const topic = AnyTopicThatIsUp();
    if (topic == nullptr) return;
    Tell("the connection of ", *topic, " ends");
    const HubLoss::Cause cause = AnyCause();
    hub_.EndSocket(hub_.channels[*topic].socket,
                   cause == HubLoss::Cause::kRefused ? HubLoss::Cause::kMute : cause, Take(4));
  }
  void Look() {
    std::string* const topic = AnyTopicThatIsUp();
    if (topic == nullptr) return;
    const std::size_t frames = 1 + Take(4);
    Tell("the channel ", *topic, " looks at ", frames, " answers");
    for (std::size_t i = 0; i < frames && hub_.Look(*topic); ++i) {
    }
  }
  void Prove() {
    std::string* const topic = AnyTopicThatIsUp();
    if (topic == nullptr) return;
    const std::uint64_t back = Take(4);
    Tell("the socket of ", *topic, " proves all but ", back);
    hub_.Prove(hub_.channels[*topic].socket, hub_.sequence() - std::min(back, hub_.sequence()));
  }
  void FillOrEmptyBuffers() {
    hub_.writable = !hub_.writable;
    Tell("the hub's buffers have ", hub_.writable ? "" : "no ", "room");
    if (hub_.writable) router_->OnWritable();
  }
  void HandleLeave() {
    std::string* const topic = AnyTopic();
    if (topic == nullptr || !hub_.channels[*topic].leaving) return;
    Tell("the channel ", *topic, " is left");
    hub_.HandleLeave(*topic);
  }
  void ReplyToPlugin() {
    if (hub_.requests.empty()) return;
    const auto [topic, id] = hub_.requests[Take(hub_.requests.size())];  // perhaps once more
    router_->OnHubReply(topic, id, std::string("{}"));
  }

  // ---- Workers

  std::string Name(const Worker& worker) const {
    return absl::StrCat("w", &worker - workers_.data());
  }
  // Workers do not move: their number names them for good.
  Worker* AnyWorker() {
    std::vector<Worker*> alive;
    for (Worker& worker : workers_) {
      if (worker.alive) alive.push_back(&worker);
    }
    return alive.empty() ? nullptr : alive[Take(alive.size())];
  }
  Worker* AnyWorkerInSession() {
    Worker* const worker = AnyWorker();
    return worker == nullptr || worker->session_id.empty() ? nullptr : worker;
  }

  void StartWorker(std::size_t plugin, bool has_instance_id) {
    const auto alive = std::count_if(workers_.begin(), workers_.end(), [&](const Worker& worker) {
      return worker.alive && worker.plugin == plugin;
    });
    if (alive >= static_cast<std::ptrdiff_t>(kWorkers) || workers_.size() == workers_.capacity()) {
      return;
    }
    Worker& worker = workers_.emplace_back();
    worker.plugin = plugin;
    worker.one_stream = workers_.size() % 2 == 0;
    if (has_instance_id) worker.instance_id = Name(worker);
    Tell(Name(worker), " of ", kPlugins[plugin], " is started");
  }
  void StartAnyWorker() {
    const std::size_t plugin = Take(2);
    StartWorker(plugin, Take(8) > 0);
  }

  void Open(Worker& worker, std::size_t max_queries) {
    if (!worker.session_id.empty()) return;
    router::SessionSpec spec;
    spec.name = kPlugins[worker.plugin];
    spec.version = "1.0.0";
    spec.mode = worker.plugin == 0 ? router::HubMode::kDebug : router::HubMode::kRelease;
    spec.instance_id = worker.instance_id;
    spec.max_queries = max_queries;
    for (const auto& [id, held] : worker.held) spec.open_request_ids.push_back(id);
    const auto number = static_cast<std::size_t>(&worker - workers_.data());
    worker.events = std::make_shared<LifeSessionSink>(*this, number);
    absl::StatusOr<std::string> id = router_->OpenSession(std::move(spec), worker.events);
    if (!id.ok()) return;
    Tell(Name(worker), " opens a session");
    worker.session_id = *std::move(id);
  }
  void Subscribe(Worker& worker, std::size_t kind, std::int32_t max_in_flight) {
    if (worker.session_id.empty() || worker.streams[kind] != nullptr) return;
    const auto number = static_cast<std::size_t>(&worker - workers_.data());
    auto sink = std::make_shared<LifeSink>(*this, number, static_cast<CallKind>(kind));
    worker.streams[kind] = sink;
    Tell(Name(worker), " opens ", router::CallKindName(static_cast<CallKind>(kind)), " for ",
         max_in_flight);
    fault_.Expect(
        router_->Subscribe(worker.session_id, static_cast<CallKind>(kind), max_in_flight, sink)
            .ok(),
        "no stream", Name(worker));
  }
  void Publish(Worker& worker, std::size_t variant) {
    if (worker.session_id.empty() || worker.published) return;
    router::Publication publication{Definition(worker.plugin, variant), {}};
    router::pb::ToolPolicy policy;
    policy.set_retry_safe(true);
    policy.mutable_timeout()->set_seconds(4);
    publication.tool_policies[kRetrySafe] = policy;
    Tell(Name(worker), " publishes variant ", variant);
    worker.published = true;
    const auto told = std::make_shared<int>(0);
    router_->Publish(worker.session_id, std::move(publication),
                     [this, &worker, told](const absl::StatusOr<router::Published>& result) {
                       fault_.Expect(++*told == 1, "published twice", Name(worker));
                       // Refused at once, or by the hub.
                       if (!result.ok() && absl::IsUnavailable(result.status())) return;
                     });
    // A refusal of the bridge leaves the session unpublished.
    worker.published = !router_->CheckUnpublished(worker.session_id).ok();
    if (!worker.published || worker.bridge == hub_.bridge) return;
    worker.bridge = hub_.bridge;
    worker.was_back_in_time = scheduler_.Now() < bridge_began_ + options_.worker_grace;
    if (!worker.was_back_in_time) DecideWithout(worker);
  }
  // All that a worker does to be there, and offers what it has.
  void Connect(Worker& worker, std::size_t variant, std::int32_t max_in_flight, bool offers_first) {
    Open(worker, max_in_flight == 1 ? 2 : 100);
    if (worker.session_id.empty()) return;
    for (std::size_t kind = 0; kind < kKinds; ++kind) Subscribe(worker, kind, max_in_flight);
    if (offers_first) OfferAll(worker);
    Publish(worker, variant);
    if (!worker.published) return Close(worker, "refused");
    if (!offers_first) OfferAll(worker);
  }
  void ConnectAny() {
    Worker* const worker = AnyWorker();
    if (worker == nullptr) return StartAnyWorker();
    const std::size_t variant = worker->plugin == 0 ? Take(8) : Take(16) / 15;
    static constexpr std::int32_t kCredits[] = {1, 2, 16};
    Connect(*worker, variant < 3 ? variant : 0, kCredits[Take(3)], Take(2) == 0);
  }
  void OpenAny() {
    if (Worker* const worker = AnyWorker()) Open(*worker, 100);
  }
  void SubscribeAny() {
    if (Worker* const worker = AnyWorkerInSession()) Subscribe(*worker, Take(kKinds), 2);
  }
  void PublishAny() {
    if (Worker* const worker = AnyWorkerInSession()) {
      Publish(*worker, 0);
      OfferAll(*worker);
    }
  }
  void OfferAll(Worker& worker) {
    std::vector<std::string> ids;
    for (const auto& [id, held] : worker.held) {
      if (held.answer) ids.push_back(id);
    }
    for (const std::string& id : ids) SendReply(worker, id);
  }

  void SessionGone(Worker& worker) {
    for (auto held = worker.held.begin(); held != worker.held.end();) {
      held = held->second.is_cancelled ? worker.held.erase(held) : std::next(held);
    }
    worker.session_id.clear();
    worker.published = false;
    for (std::shared_ptr<LifeSink>& stream : worker.streams) {
      if (stream != nullptr) stream->closed = true;
      stream = nullptr;
    }
  }
  void Close(Worker& worker, absl::string_view why) {
    if (worker.session_id.empty()) return;
    Tell("the session of ", Name(worker), " ends");
    const std::string id = worker.session_id;
    router_->CloseSession(id, why);
    for (const std::shared_ptr<LifeSink>& stream : worker.streams) {
      fault_.Expect(stream == nullptr || stream->closed, "a stream outlives its session", "");
    }
    SessionGone(worker);
  }
  void CloseAny() {
    if (Worker* const worker = AnyWorkerInSession()) Close(*worker, "it broke");
  }
  void KillWorker() {
    Worker* const worker = AnyWorker();
    if (worker == nullptr) return;
    Tell(Name(*worker), " is killed");
    worker->alive = false;
    worker->held.clear();
    Close(*worker, "it was killed");
  }
  void CloseStream() {
    Worker* const worker = AnyWorkerInSession();
    const std::size_t kind = Take(kKinds);
    if (worker == nullptr || worker->streams[kind] == nullptr) return;
    Tell(Name(*worker), " closes ", router::CallKindName(static_cast<CallKind>(kind)));
    const std::shared_ptr<LifeSink> stream = std::exchange(worker->streams[kind], nullptr);
    // What becomes of its calls meanwhile is no run beside the first.
    stream->closed = true;
    router_->Unsubscribe(worker->session_id, static_cast<CallKind>(kind));
  }
  void EndStream() {
    Worker* const worker = AnyWorkerInSession();
    const std::size_t kind = Take(kKinds);
    if (worker == nullptr || worker->streams[kind] == nullptr) return;
    Tell(Name(*worker), " loses ", router::CallKindName(static_cast<CallKind>(kind)));
    worker->streams[kind]->ended = true;
  }
  void DrainSession() {
    Worker* const worker = AnyWorkerInSession();
    if (worker == nullptr) return;
    Tell(Name(*worker), " drains");
    worker->events->draining = true;
    (void)router_->DrainSession(worker->session_id);
  }

  void Finish(Worker& worker, const std::string& id, std::size_t choice) {
    Worker::Held& held = worker.held[id];
    held.is_failure = choice == 1;
    held.is_invalid = choice == 2;
    const char* const poison = choice == 3 ? kCrashesChannel : choice == 4 ? kEndsConnection : "";
    held.answer = absl::StrCat("\"", id, " by ", Name(worker), " ", poison, "\"");
  }
  void AnswerAny() {
    Worker* const worker = AnyWorker();
    if (worker == nullptr || worker->held.empty()) return;
    auto held =
        std::next(worker->held.begin(), static_cast<std::ptrdiff_t>(Take(worker->held.size())));
    const std::string id = held->first;
    if (!held->second.answer) Finish(*worker, id, Take(24));
    SendReply(*worker, id);
  }

  LiveCall* Find(const std::string& id) { return router_->calls().Find(hub_.calls[id].topic, id); }

  void SendReply(Worker& worker, const std::string& id) {
    if (worker.session_id.empty()) return;
    const Worker::Held held = worker.held[id];
    const LiveCall* call = Find(id);
    bool is_its = false;
    if (call != nullptr && call->state == CallState::kRunning) {
      is_its = call->worker->id == worker.session_id && call->deadline > scheduler_.Now();
    } else if (call != nullptr && call->state == CallState::kRecovered) {
      is_its = worker.published && call->doom == nullptr;
    }
    Tell(Name(worker), " answers ", id);
    const std::optional<CallKind> kind =
        worker.one_stream ? std::nullopt : std::optional(held.kind);
    absl::StatusOr<router::CallOutcome> outcome = *held.answer;
    if (held.is_failure) outcome = ErrorWith(*held.answer);
    if (held.is_invalid) {
      absl::Status invalid = absl::InvalidArgumentError("invalid");
      router::SetViolations(invalid, {});
      outcome = invalid;
    }
    router_->Reply(worker.session_id, MakeReply(kind, id, held.event, std::move(outcome)));
    if (!is_its || is_narrow_ || held.is_invalid) return;
    call = Find(id);
    fault_.Expect(
        call != nullptr && call->answer != nullptr && GistOf(*call->answer) == *held.answer,
        "an answer that is not taken", id);
  }

  // An answer by whom the call was never sent to, or of another kind, or once more.
  void AnswerWrongly() {
    Worker* const worker = AnyWorkerInSession();
    if (worker == nullptr || hub_.calls.empty()) return;
    auto made = std::next(hub_.calls.begin(), static_cast<std::ptrdiff_t>(Take(hub_.calls.size())));
    if (made->second.topic != kTopicNames[worker->plugin]) return;
    const auto kind = static_cast<CallKind>(Take(kKinds));
    Tell(Name(*worker), " answers ", made->first, " as ", router::CallKindName(kind),
         " out of the blue");
    made->second.contested = true;
    if (Take(3) == 0) {
      router_->Reply(worker->session_id,
                     MakeReply(std::nullopt, made->first, "", ErrorWith("wrong")));
    } else {
      router_->Reply(worker->session_id,
                     MakeReply(kind, made->first, made->second.event, "\"wrong\""));
    }
  }
  // What was sent to it last could not be written.
  void FailAny() {
    Worker* const worker = AnyWorkerInSession();
    if (worker == nullptr || worker->held.empty()) return;
    const auto held = worker->held.begin();
    if (held->second.answer) return;
    const std::string id = held->first;
    Tell(id, " is too large for ", Name(*worker));
    const CallKind kind = held->second.kind;
    worker->held.erase(held);
    router_->Fail(worker->session_id, kind, id, ErrorWith("too large"));
  }
  void CallHub() {
    Worker* const worker = AnyWorkerInSession();
    if (worker == nullptr) return;
    const auto told = std::make_shared<int>(0);
    router_->CallHub(worker->session_id, "invoke_llm", "{}", absl::Seconds(1),
                     [this, told](const absl::StatusOr<std::string>&) {
                       fault_.Expect(++*told == 1, "a call to the hub that ends twice", "");
                     });
  }

  bool MayDiffer(const MadeCall& call, const TakenAnswer& first) {
    if (is_narrow_ || call.contested || call.taken_along) return true;
    const std::size_t by = first.gist.find(" by w");
    if (by == std::string::npos) return call.outlived;
    const Worker& worker = workers_[std::stoul(first.gist.substr(by + 5))];
    // Nobody has told this bridge of the answer.
    return !worker.alive || worker.bridge != hub_.bridge || !worker.was_back_in_time;
  }

  // ---- Time

  void Advance(absl::Duration by) {
    while (by > absl::ZeroDuration()) {
      hub_.LookAtOld();
      const absl::Duration chunk = AnyFrames() ? std::min(by, absl::Milliseconds(100)) : by;
      scheduler_.Advance(chunk);
      by -= chunk;
    }
    timers_ran_ = true;
  }
  bool AnyFrames() const {
    for (const auto& [topic, channel] : hub_.channels) {
      if (!channel.frames.empty()) return true;
    }
    return false;
  }
  void Wait() {
    static constexpr int kMilliseconds[] = {1,   1,     50,    50,    250,    250,    1'000,
                                            999, 1'000, 4'000, 5'000, 10'000, 31'000, 400'000};
    const auto time = absl::Milliseconds(kMilliseconds[Take(14)]);
    Tell(absl::FormatDuration(time), " go by");
    Advance(time);
  }

  void Step() {
    struct Choice {
      int weight;
      void (World::*step)();
    };
    static constexpr Choice kChoices[] = {
        {26, &World::NewCall},       {8, &World::Repeat},        {20, &World::ConnectAny},
        {4, &World::StartAnyWorker}, {3, &World::OpenAny},       {3, &World::SubscribeAny},
        {3, &World::PublishAny},     {5, &World::CloseAny},      {3, &World::KillWorker},
        {5, &World::CloseStream},    {3, &World::EndStream},     {2, &World::DrainSession},
        {30, &World::AnswerAny},     {5, &World::AnswerWrongly}, {2, &World::FailAny},
        {3, &World::CallHub},        {20, &World::Join},         {4, &World::JudgeDefinition},
        {1, &World::AskDefinition},  {5, &World::CrashChannel},  {5, &World::CutSocket},
        {14, &World::Look},          {16, &World::Prove},        {6, &World::FillOrEmptyBuffers},
        {5, &World::HandleLeave},    {3, &World::ReplyToPlugin}, {24, &World::Wait},
        {2, &World::Drain},          {3, &World::KillBridge},    {4, &World::DieWithin}};
    ++life_.steps;
    int choice = static_cast<int>(Take(256));
    for (const auto& [weight, step] : kChoices) {
      choice -= weight;
      if (choice < 0) return (this->*step)();
    }
    Wait();
  }

  // ---- What must hold

  void Check(absl::string_view when) {
    if (is_drained_) KillBridge();
    const std::string found =
        router::RouterAudit::Check(*router_, hub_.writable, std::exchange(timers_ran_, false));
    fault_.Expect(found.empty(), found, when);
    for (const auto& [id, made] : hub_.calls) {
      const LiveCall* const call = Find(id);
      auto known = decided_.find(id);
      if (call == nullptr || call->answer == nullptr) {
        if (known == decided_.end()) continue;
        fault_.Expect(!made.taken.empty() || made.convicted, "an answer that is forgotten", id);
        fault_.Expect(call == nullptr, "a call that goes on after its answer", id);
        decided_.erase(known);
        continue;
      }
      const std::string whole = WholeOf(*call->answer);
      if (known == decided_.end()) {
        decided_[id] = whole;
      } else if (call->is_replacement) {
        known->second = whole;
      } else {
        fault_.Expect(known->second == whole, "an answer that changes", id);
      }
    }
  }

  // Hub and workers are well, until nothing is left to do.
  void End() {
    Tell("all are well");
    if (!std::exchange(hub_.writable, true)) router_->OnWritable();
    for (int tick = 0; tick < 3'000 && fault_.text.empty(); ++tick) {
      Heal(tick % 40 == 0);
      if (tick % 10 == 0) Check("in the end");
      if (IsAllDone()) break;
      Advance(absl::Milliseconds(tick < 200 ? 50 : 250));
    }
    if (!fault_.text.empty()) return;
    for (const auto& [id, call] : hub_.calls) {
      fault_.Expect(HasEnded(id, call), "a call without an answer", id);
    }
    fault_.Expect(router_->calls().size() == 0, "calls that are left",
                  absl::StrCat(router_->calls().size()));
    for (Worker& worker : workers_) Close(worker, "the end");
    for (int i = 0; i < 4; ++i) {
      Advance(options_.worker_grace);
      for (const std::string& topic : hub_.Topics()) {
        if (hub_.channels[topic].leaving) hub_.HandleLeave(topic);
      }
      Check("at the very end");
    }
    fault_.Expect(router_->Status().plugins_size() == 0, "a plugin that stays", "");
    fault_.Expect(scheduler_.pending_timers() == 0, "timers that are left", "");
  }

  void Heal(bool repeats) {
    for (const std::string& topic : hub_.Topics()) {
      LifeHub::Channel& channel = hub_.channels[topic];
      if (channel.leaving) hub_.HandleLeave(topic);
      if (!hub_.channels[topic].up) hub_.Join(topic);
      if (std::exchange(channel.asked, false) && !channel.leaving)
        hub_.Tell(topic, HubState::STATE_REGISTERED);
      if (repeats) RepeatUnanswered(topic);
    }
    for (std::size_t plugin = 0; plugin < kPlugins.size(); ++plugin) {
      const bool any = std::any_of(workers_.begin(), workers_.end(), [&](const Worker& worker) {
        return worker.alive && worker.plugin == plugin;
      });
      if (!any) StartWorker(plugin, true);
    }
    for (Worker& worker : workers_) {
      if (!worker.alive) continue;
      const bool is_whole = worker.published &&
                            std::all_of(worker.streams.begin(), worker.streams.end(), [](auto& s) {
                              return s != nullptr && !s->ended && !s->closed;
                            });
      const bool is_leaving =
          !worker.session_id.empty() && (worker.events->finished || worker.events->draining);
      if (!is_draining_ && (!is_whole || is_leaving)) Close(worker, "it begins anew");
      if (worker.session_id.empty()) Connect(worker, 0, 16, false);
      std::vector<std::string> ids;
      for (const auto& [id, held] : worker.held) {
        if (!held.answer) ids.push_back(id);
      }
      for (const std::string& id : ids) {
        Finish(worker, id, 0);
        SendReply(worker, id);
      }
    }
    for (const std::string& topic : hub_.Topics()) {
      if (hub_.channels[topic].up) hub_.Prove(hub_.channels[topic].socket, hub_.sequence());
      hub_.LookAtAll(topic);
    }
    while (!hub_.requests.empty()) {
      const auto [topic, id] = hub_.requests.back();
      hub_.requests.pop_back();
      router_->OnHubReply(topic, id, std::string("{}"));
    }
  }

  bool HasEnded(const std::string& id, const MadeCall& call) const {
    if (!call.taken.empty() || call.refused || (call.convicted && !hub_.is_honest)) return true;
    // Its plugin was away for so long that the bridge has dropped it.
    const bool is_dropped = runs_.count(id) > 0 && decided_.count(id) == 0 &&
                            scheduler_.Now() > call.made_at + kRepeatWithin;
    if (!call.lost && !is_dropped) return false;
    return std::none_of(workers_.begin(), workers_.end(), [&id = id](const Worker& worker) {
      const auto held = worker.held.find(id);
      return held != worker.held.end() && held->second.answer;
    });
  }
  bool IsAllDone() const {
    if (is_draining_ || router_->calls().size() > 0) return false;
    for (const auto& [id, call] : hub_.calls) {
      if (!HasEnded(id, call)) return false;
    }
    return true;
  }

  absl::string_view bytes_;
  RouterLife life_;
  Fault fault_;
  Pulse pulse_;
  fakes::ManualScheduler scheduler_;
  LifeHub hub_;
  router::RouterOptions options_;
  bool is_narrow_ = false;
  journal::OpenCalls journal_;
  std::unique_ptr<router::Router> router_;
  std::vector<Worker> workers_ = [] {
    std::vector<Worker> none;
    none.reserve(200);
    return none;
  }();
  std::map<std::string, std::vector<Run>> runs_;
  // What this bridge has answered, by request_id, as long as it has the answer.
  std::map<std::string, std::string> decided_;
  std::string topic_;
  absl::Time bridge_began_;
  bool is_draining_ = false;
  bool is_drained_ = false;
  bool timers_ran_ = false;
};

void LifeSink::Use(absl::string_view what) {
  world_.Expect(!closed, "a stream that is used after its end", what);
}

void LifeSink::Send(const router::CallForWorker& call) {
  Use(call.request_id);
  world_.Expect(!drained && !ended, "a call on a stream that takes none", call.request_id);
  world_.Got(worker_, kind_, call.request_id, std::string(call.event.name), this);
}

void LifeSink::Cancel(absl::string_view request_id, absl::string_view) {
  Use(request_id);
  world_.Cancelled(worker_, std::string(request_id));
}

void LifeSink::Reject(absl::string_view request_id,
                      const std::vector<router::pb::DefinitionViolation>&) {
  Use(request_id);
  world_.Rejected(worker_, std::string(request_id));
}

void LifeSessionSink::Send(router::pb::SessionEvent event) {
  draining |= event.has_draining() && event.draining().replaced();
  world_.Told(worker_, event);
}

void LifeSessionSink::Finish(absl::Status) {
  world_.Expect(!finished, "a session that is finished twice", "");
  finished = true;
}

}  // namespace

RouterLife LiveRouter(absl::string_view bytes) { return World(bytes).Live(); }

}  // namespace atomemo::fuzz
