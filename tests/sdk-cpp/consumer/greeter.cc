#include <atomemo/plugin.h>
#include <atomemo/testing/fake_bridge.h>

#include <cstring>

using namespace atomemo;  // NOLINT(google-build-using-namespace): as plugin authors write.

// With --self-test the plugin greets itself, without a bridge.
int main(int argc, char** argv) {
  Plugin plugin(PluginInfo("greeter").Version("1.2.3"));
  plugin.AddTool(Tool("greet")
                     .Parameter(String("name").Required())
                     .Invoke([](const Call& call) -> absl::StatusOr<Json> {
                       auto name = call.Get<std::string>("name");
                       if (!name.ok()) return name.status();
                       return Json{{"greeting", "Hello " + *name}};
                     }));
  if (argc == 2 && std::strcmp(argv[1], "--self-test") == 0) {
    testing::FakeBridge bridge(plugin);
    const auto answer = bridge.Invoke("greet", {{"name", "Eva"}});
    return answer.ok() && *answer == Json{{"greeting", "Hello Eva"}} ? 0 : 1;
  }
  return plugin.Main(argc, argv);
}
