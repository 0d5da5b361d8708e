#include "tests/integration/test_plugin.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "tests/integration/wait.h"

namespace atomemo::integration {
namespace {

absl::StatusOr<Json> CheckKey(const CredentialCall& call) {
  if (call.credential().value("key", "") == "bad") {
    return Error("test:bad_key", "the key is not known", {{"stack", "at check_key"}});
  }
  return Json{{"valid", true}};
}

absl::StatusOr<std::string> AuthorizeUrl(const OAuth2Call& call) {
  return "https://accounts.example.com/?state=" + call.state();
}

absl::StatusOr<OAuth2Tokens> GetToken(const OAuth2Call& call) {
  OAuth2Tokens tokens;
  tokens.access_token = "access for " + call.code();
  tokens.refresh_token = "refresh";
  return tokens;
}

absl::StatusOr<OAuth2Tokens> RefreshToken(const CredentialCall&) {
  OAuth2Tokens tokens;
  tokens.access_token = "fresh";
  return tokens;
}

absl::StatusOr<ResourceList> ListCities(const ResourceCall& call) {
  ResourceList list;
  list.results.push_back({call.filter().value_or("all"), "city-1"});
  list.pagination_token = "page-2";
  return list;
}

absl::StatusOr<ResourceMapping> MapColumns(const ResourceCall&) {
  return ResourceMapping{{{"temperature", "string", "Temperature", true}}};
}

absl::StatusOr<Json> AskHub(const Call& call) {
  return call.CallHub(call.parameters().at("event").get<std::string>(),
                      call.parameters().at("data"));
}

absl::StatusOr<Json> Store(const Call& call) {
  FileUpload upload;
  upload.filename = "data.bin";
  upload.mime_type = "application/octet-stream";
  upload.content = call.parameters().at("content").get<std::string>();
  const absl::StatusOr<FileRef> stored = call.UploadFile(upload);
  if (!stored.ok()) return stored.status();
  const absl::StatusOr<File> fetched = call.DownloadFile(*stored);
  if (!fetched.ok()) return fetched.status();
  return Json{{"file", *stored}, {"content", fetched->content}};
}

Tool PickTool() {
  return Tool("picker")
      .Parameter(
          Locator("city").DisplayName("City").Required().Mode(ListMode("list_cities").Searchable()))
      .Parameter(Mapper("columns", "map_columns").DisplayName("Columns").DependsOn({"city"}))
      .ListResources("list_cities", &ListCities)
      .MapResource("map_columns", &MapColumns);
}

}  // namespace

TestPlugin::TestPlugin(const Options& options) : plugin_(MakePlugin(options)) {
  RunOptions run;
  run.bridge = options.socket;
  run.mode = options.mode;
  run.max_concurrent_invocations = options.threads;
  run.max_concurrent_queries = options.threads;
  run.drain_timeout = absl::Seconds(2);
  run.last_retry_delay = absl::Milliseconds(200);
  run.handle_signals = false;
  run.logger = [this, to_stderr = StderrLogger()](LogLevel level, absl::string_view line) {
    to_stderr(level, line);
    Log(line);
  };
  thread_ = std::thread([this, run] {
    result_ = plugin_.Run(run);
    if (!result_.ok()) run.logger(LogLevel::kError, result_.ToString());
  });
}

TestPlugin::~TestPlugin() {
  Release();
  Stop();
  Join().IgnoreError();
}

void TestPlugin::Release() {
  if (!released_.HasBeenNotified()) released_.Notify();
}

absl::Status TestPlugin::Join() {
  if (thread_.joinable()) thread_.join();
  return result_;
}

bool TestPlugin::WaitHolding(int count) const {
  return WaitUntil([&] { return holding_ >= count; });
}

bool TestPlugin::HasLog(const std::string& text) const {
  absl::MutexLock lock(&mutex_);
  return std::any_of(log_.begin(), log_.end(),
                     [&](const std::string& line) { return absl::StrContains(line, text); });
}

bool TestPlugin::WaitLog(const std::string& text) const {
  return WaitUntil([&] { return HasLog(text); });
}

void TestPlugin::Log(absl::string_view line) {
  absl::MutexLock lock(&mutex_);
  log_.emplace_back(line);
}

absl::StatusOr<Json> TestPlugin::Hold(const Call& call) {
  ++holding_;
  released_.WaitForNotificationWithTimeout(kPatience);
  return Json{{"held", call.parameters()}};
}

Plugin TestPlugin::MakePlugin(const Options& options) {
  Plugin plugin(PluginInfo(options.name)
                    .Version(options.version)
                    .Description(options.description)
                    .Author("Atomemo"));
  plugin.AddCredential(
      Credential("api-key")
          .Parameter(EncryptedString("key").DisplayName("Key").Required().Ui(EncryptedInput()))
          .Authenticate(&CheckKey));
  plugin.AddCredential(Credential("account")
                           .OAuth2()
                           .Authenticate(&CheckKey)
                           .BuildAuthorizeUrl(&AuthorizeUrl)
                           .GetToken(&GetToken)
                           .RefreshToken(&RefreshToken));
  const InvokeHandler echo = [](const Call& call) { return call.parameters(); };
  plugin.AddTool(Tool("repeat").Invoke(echo));
  plugin.AddTool(Tool("hold-on").Invoke([this](const Call& call) { return Hold(call); }));
  plugin.AddTool(Tool("patient").Timeout(absl::Milliseconds(300)).Invoke([](const Call& call) {
    call.WaitCancelled(kPatience);
    return Json("too late");
  }));
  plugin.AddTool(PickTool().Invoke(echo));
  plugin.AddTool(Tool("ask-hub").Invoke(&AskHub));
  plugin.AddTool(Tool("store").Invoke(&Store));
  return plugin;
}

}  // namespace atomemo::integration
