// How long the io thread is busy with one thing: the longest of its handlers, for inputs that are
// as large, or as many, as the bridge takes. The whole bridge runs in this process, between a hub
// that does what it is told and plugins on the generated stubs.
//
//   pause_benchmark [rounds] [part of an input's name]
//
// "cpu" is what the longest handler used of a processor, which hardly depends on what else the
// machine does; "wait" is how long a task that was posted meanwhile waited for its turn, behind one
// handler or several. Milliseconds, the least of all rounds. No cpu should be above 50.

#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "bridge/app.h"
#include "bridge/base/log.h"
#include "tests/benchmark/scripted_hub.h"
#include "tests/benchmark/scripted_plugin.h"
#include "tests/fakes/temporary_folder.h"
#include "tests/integration/wait.h"

namespace atomemo::benchmark {
namespace {

using integration::WaitUntil;

constexpr std::size_t kLarge = 8'000'000 - 1000;  // with its envelope as large as the hub takes
constexpr int kManyCalls = 5000;
constexpr int kManyPlugins = 1000;
constexpr int kManyAnswers = 10'000;
constexpr int kWatches = 1000;

double Milliseconds(std::int64_t nanoseconds) { return static_cast<double>(nanoseconds) / 1e6; }

std::int64_t Clock(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return now.tv_sec * std::int64_t{1'000'000'000} + now.tv_nsec;
}

// Runs the io thread handler by handler, and remembers the longest.
class Watched {
 public:
  void Run(asio::io_context& io) {
    io_ = &io;
    std::int64_t before = Clock(CLOCK_THREAD_CPUTIME_ID);
    while (io.run_one() > 0) {
      const std::int64_t after = Clock(CLOCK_THREAD_CPUTIME_ID);
      if (after - before > cpu_) cpu_ = after - before;
      before = after;
    }
  }

  void Reset() { cpu_ = wait_ = 0; }
  double cpu() const { return Milliseconds(cpu_); }
  double wait() const { return Milliseconds(wait_); }

  // Every few milliseconds, on a thread of its own, until `done`.
  void Probe(const std::atomic<bool>& done) {
    while (!done) {
      if (io_ != nullptr && !probing_.exchange(true)) {
        asio::post(*io_, [this, posted = Clock(CLOCK_MONOTONIC)] {
          wait_ = std::max<std::int64_t>(wait_, Clock(CLOCK_MONOTONIC) - posted);
          probing_ = false;
        });
      }
      absl::SleepFor(absl::Milliseconds(2));
    }
  }

 private:
  std::atomic<asio::io_context*> io_{nullptr};
  std::atomic<std::int64_t> cpu_{0};
  std::atomic<std::int64_t> wait_{0};
  std::atomic<bool> probing_{false};
};

// `{"k0":0,...}` of about so many bytes.
std::string ManyMembers(std::size_t bytes) {
  std::string text = "{";
  for (int i = 0; text.size() + 20 < bytes; ++i) {
    absl::StrAppend(&text, i == 0 ? "" : ",", "\"k", i, "\":", i);
  }
  return text + "}";
}

std::string NestedMappers(int depth, std::size_t bytes) {
  const std::string open = R"({"__type__":"resource_mapper","mapping_mode":"manual","value":{"v":)";
  std::string text = "{\"p\":";
  for (int i = 0; i < depth; ++i) text += open;
  absl::StrAppend(&text, "\"", std::string(bytes, 'x'), "\"");
  for (int i = 0; i < depth; ++i) text += "}}";
  return text + "}";
}

std::string ManyFileRefs(std::size_t bytes) {
  std::string text = "{\"files\":[{}";
  while (text.size() < bytes) absl::StrAppend(&text, R"(,{"__type__":"file_ref"})");
  return text + "]}";
}

std::string Member(const std::string& name, std::size_t bytes) {
  return absl::StrCat("\"", name, "\":\"", std::string(bytes, 'x'), "\"");
}

std::string CallOf(int id, const std::string& parameters) {
  return absl::StrCat(R"({"request_id":"r)", id, R"(","tool_name":"do-work","parameters":)",
                      parameters, "}");
}

// One bridge with its hub, for one input.
class Stage {
 public:
  explicit Stage(std::map<std::string, std::pair<double, double>>& results) : results_(results) {
    AppOptions options;
    options.hub.url = *hub::ParseHubUrl(absl::StrCat("ws://127.0.0.1:", hub_.port()));
    options.hub.api_key.key = "key";
    options.websocket.user_agent = "pause_benchmark";
    options.plugin_server.socket.path = socket();
    options.journal_path = folder_.path() + "/journal";
    options.drain_timeout = absl::Seconds(2);
    options.run_io = [this](asio::io_context& io) { watched_.Run(io); };
    app_.emplace(std::move(options));
    const absl::Status started = app_->Start();
    if (!started.ok()) std::fprintf(stderr, "%s\n", started.ToString().c_str());
  }
  ~Stage() {
    plugins_.clear();
    app_.reset();
    done_ = true;
    prober_.join();
  }

  std::string socket() const { return folder_.path() + "/bridge.sock"; }
  ScriptedHub& hub() { return hub_; }
  App& app() { return *app_; }
  ScriptedPlugin& plugin(std::size_t i = 0) { return *plugins_[i]; }

  ScriptedPlugin& Add(ScriptedPlugin::Options options) {
    plugins_.push_back(std::make_unique<ScriptedPlugin>(socket(), std::move(options)));
    return *plugins_.back();
  }
  void RemovePlugins() { plugins_.clear(); }

  // What `input` sets off is over once `over` holds.
  void Measure(const std::string& name, const std::function<void()>& input,
               const std::function<bool()>& over) {
    absl::SleepFor(absl::Milliseconds(300));
    watched_.Reset();
    input();
    if (!WaitUntil(over)) std::fprintf(stderr, "%s: does not end\n", name.c_str());
    absl::SleepFor(absl::Milliseconds(700));  // the proofs, and what was put off
    auto& [cpu, wait] = results_.try_emplace(name, 1e9, 1e9).first->second;
    cpu = std::min(cpu, watched_.cpu());
    wait = std::min(wait, watched_.wait());
  }

  void PushCall(int id, const std::string& parameters) {
    hub_.Push("debug_plugin:plugin", "invoke_tool", CallOf(id, parameters));
  }
  // Makes calls that the plugin then has.
  void OpenCalls(int first, int count, std::size_t bytes) {
    const std::string parameters = absl::StrCat("{\"t\":\"", std::string(bytes, 'x'), "\"}");
    const std::size_t target = plugin().calls() + static_cast<std::size_t>(count);
    for (int i = first; i < first + count; ++i) PushCall(i, parameters);
    WaitUntil([&] { return plugin().calls() >= target; });
  }

 private:
  std::map<std::string, std::pair<double, double>>& results_;
  const fakes::TemporaryFolder folder_;
  ScriptedHub hub_;
  Watched watched_;
  std::atomic<bool> done_{false};
  std::thread prober_{[this] { watched_.Probe(done_); }};
  std::optional<App> app_;
  std::vector<std::unique_ptr<ScriptedPlugin>> plugins_;
};

using Options = ScriptedPlugin::Options;

Options Json() { return {}; }
Options Struct() {
  Options options;
  options.encoding = pb::PAYLOAD_ENCODING_STRUCT;
  return options;
}

void LargeCall(Stage& stage, const std::string& name, const Options& options,
               const std::string& parameters) {
  stage.Add(options);
  stage.Measure(
      name, [&] { stage.PushCall(1, parameters); },
      [&] { return stage.plugin().calls() == 1 || stage.hub().answers() == 1; });
}

void LargeAnswer(Stage& stage, const std::string& name, bool as_struct) {
  stage.Add(Json());
  stage.OpenCalls(0, 1, 10);
  pb::InvokeReply reply;
  reply.mutable_result()->set_request_id("r0");
  const std::string text = ManyMembers(kLarge);
  if (as_struct) {
    auto& fields = *reply.mutable_result()->mutable_data()->mutable_value()->mutable_struct_value();
    for (int i = 0; i < 470'000; ++i) {
      (*fields.mutable_fields())[absl::StrCat("k", i)].set_number_value(i);
    }
  } else {
    reply.mutable_result()->mutable_data()->set_json(text);
  }
  stage.Measure(
      name, [&] { stage.plugin().Send(reply); }, [&] { return stage.hub().answers() == 1; });
}

void HubCallAnswer(Stage& stage, const std::string& name) {
  stage.Add(Struct());
  stage.hub().set_hub_call_data(ManyMembers(kLarge));
  stage.Measure(
      name, [&] { stage.plugin().CallHub("{}"); }, [] { return true; });
}

void LostStream(Stage& stage, const std::string& name, bool retried, std::size_t bytes) {
  Options options;
  options.retry_safe = retried;
  stage.Add(options);
  stage.OpenCalls(0, kManyCalls, bytes);
  if (retried) stage.Add(options);
  stage.Measure(
      name, [&] { stage.plugin().LoseStream(); },
      [&] {
        return retried ? stage.plugin(1).calls() == kManyCalls
                       : stage.hub().answers() == kManyCalls;
      });
}

void KeptAnswers(Stage& stage, const std::string& /*name*/) {
  stage.Add(Json());
  stage.hub().HoldHeartbeats();
  for (int kept = kManyCalls; kept <= kManyAnswers; kept += kManyCalls) {
    stage.OpenCalls(kept - kManyCalls, kManyCalls, 300);
    stage.plugin().AnswerAll(absl::StrCat("\"", std::string(300, 'x'), "\""));
    WaitUntil([&] { return stage.hub().answers() >= kept; });
  }
  stage.Measure(
      "10,000 kept answers after a rejoin", [&] { stage.hub().Crash("debug_plugin:plugin"); },
      [&] { return stage.hub().answers() >= 2 * kManyAnswers; });
  stage.Measure(
      "10,000 answers are proven at once", [&] { stage.hub().ReleaseHeartbeats(); },
      [] { return true; });
}

void ForcedDrain(Stage& stage, const std::string& name) {
  stage.Add(Json());
  stage.OpenCalls(0, kManyCalls, 300);
  stage.Measure(
      name, [&] { (void)stage.app().Stop(); }, [] { return true; });
}

void Publish(Stage& stage, const std::string& name) {
  Options options;
  options.definition_bytes = 7'500'000;
  stage.Measure(
      name, [&] { stage.Add(options); }, [] { return true; });
}

void Plugins(Stage& stage) {
  for (int i = 0; i < kManyPlugins; ++i) {
    Options options;
    options.name = absl::StrCat("plugin-", i);
    options.definition_bytes = 2000;
    stage.Add(options);
  }
  HealthWatches watches(stage.socket());
  stage.Measure(
      "1,000 watches of the health of 1,000 plugins", [&] { watches.Start(kWatches); },
      [&] { return watches.answers() >= kWatches; });
  stage.Measure(
      "the status of 1,000 plugins", [&] { stage.plugin().GetStatus(); }, [] { return true; });
  const int registered = stage.hub().registrations();
  stage.Measure(
      "1,000 plugins join again", [&] { stage.hub().AbortConnections(); },
      [&] { return stage.hub().registrations() >= registered + kManyPlugins; });
  watches.Stop();
  stage.Measure(
      "1,000 sessions end", [&] { stage.RemovePlugins(); }, [] { return true; });
}

void LargePlugins(Stage& stage, const std::string& name) {
  for (int i = 0; i < 100; ++i) {
    Options options;
    options.name = absl::StrCat("plugin-", i);
    options.definition_bytes = 700'000;
    stage.Add(options);
  }
  const int registered = stage.hub().registrations();
  stage.Measure(
      name, [&] { stage.hub().AbortConnections(); },
      [&] { return stage.hub().registrations() >= registered + 100; });
}

// A call with a name that is as long as a message.
void LongName(Stage& stage, const std::string& name, const std::string& members,
              const std::string& event = "invoke_tool") {
  stage.Add(Json());
  stage.Measure(
      name, [&] { stage.hub().Push("debug_plugin:plugin", event, "{" + members + "}"); },
      [&] { return stage.hub().answers() == 1; });
}

void LongError(Stage& stage, const std::string& name) {
  stage.Add(Json());
  stage.OpenCalls(0, 1, 10);
  pb::InvokeReply reply;
  reply.mutable_failure()->set_request_id("r0");
  reply.mutable_failure()->mutable_error()->set_message(std::string(kLarge, 'm'));
  stage.Measure(
      name, [&] { stage.plugin().Send(reply); }, [&] { return stage.hub().answers() == 1; });
}

void LongSession(Stage& stage, const std::string& name, const Options& options) {
  stage.Measure(
      name, [&] { stage.Add(options); }, [] { return true; });
}

using Input = std::pair<std::string, std::function<void(Stage&, const std::string&)>>;

std::vector<Input> Inputs() {
  const auto call = [](const Options& options, std::string (*make)()) {
    return [options, make](Stage& stage, const std::string& name) {
      LargeCall(stage, name, options, make());
    };
  };
  return {
      {"call, 8 MB in 45 nested mappers",
       call(Json(), [] { return NestedMappers(45, kLarge - 5000); })},
      {"call, 8 MB of file references", call(Json(), [] { return ManyFileRefs(kLarge); })},
      {"call, 8 MB of small members, JSON", call(Json(), [] { return ManyMembers(kLarge); })},
      {"call, 8 MB of small members, Struct", call(Struct(), [] { return ManyMembers(kLarge); })},
      {"call, 60 MB, refused", call(Json(), [] { return ManyMembers(60'000'000); })},
      {"call, 60 MB that is no JSON", call(Json(), [] { return ManyMembers(60'000'000) + "!"; })},
      {"answer, 8 MB of small members, JSON", [](auto& s, auto& n) { LargeAnswer(s, n, false); }},
      {"answer, 8 MB of small members, Struct", [](auto& s, auto& n) { LargeAnswer(s, n, true); }},
      {"hub's answer to a plugin, 8 MB, Struct", HubCallAnswer},
      {"call with a request_id of 7 MB",
       [](auto& s, auto& n) {
         LongName(s, n, Member("request_id", 7'000'000) + R"(,"tool_name":"t","parameters":{})");
       }},
      {"call of a tool with a name of 8 MB",
       [](auto& s, auto& n) {
         LongName(s, n, Member("tool_name", kLarge) + R"(,"request_id":"r","parameters":{})");
       }},
      {"event with a name of 7 MB",
       [](auto& s, auto& n) {
         LongName(s, n, R"("request_id":"r")", std::string(7'000'000, 'e'));
       }},
      {"error with a message of 8 MB", LongError},
      {"session with 100,000 open request_ids",
       [](auto& s, auto& n) {
         Options options;
         options.open_request_ids = 100'000;
         LongSession(s, n, options);
       }},
      {"session of a client with a name of 8 MB",
       [](auto& s, auto& n) {
         Options options;
         options.client = std::string(kLarge, 'c');
         LongSession(s, n, options);
       }},
      {"a stream with 5,000 calls is lost", [](auto& s, auto& n) { LostStream(s, n, false, 300); }},
      {"the same, 20 KB each, run again", [](auto& s, auto& n) { LostStream(s, n, true, 20'000); }},
      {"10,000 kept answers", KeptAnswers},
      {"forced drain of 5,000 calls", ForcedDrain},
      {"definition of 7.5 MB", Publish},
      {"1,000 plugins", [](auto& s, auto&) { Plugins(s); }},
      {"100 plugins with 700 KB join again", LargePlugins},
  };
}

int Main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 3;
  const std::string part = argc > 2 ? argv[2] : "";
  base::InitLog(base::LogLevel::kError, base::LogFormat::kText);
  rlimit descriptors{};
  getrlimit(RLIMIT_NOFILE, &descriptors);
  descriptors.rlim_cur = descriptors.rlim_max;  // both ends of every connection are here
  setrlimit(RLIMIT_NOFILE, &descriptors);
  std::printf("%-46s %8s %8s\n", "input", "cpu", "wait");
  for (const auto& [name, run] : Inputs()) {
    if (!absl::StrContains(name, part)) continue;
    std::map<std::string, std::pair<double, double>> results;
    for (int i = 0; i < rounds; ++i) {
      Stage stage(results);
      run(stage, name);
    }
    for (const auto& [measured, longest] : results) {
      std::printf("%-46s %8.1f %8.1f\n", measured.c_str(), longest.first, longest.second);
    }
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace
}  // namespace atomemo::benchmark

int main(int argc, char** argv) { return atomemo::benchmark::Main(argc, argv); }
