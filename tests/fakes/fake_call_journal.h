#ifndef ATOMEMO_TESTS_FAKES_FAKE_CALL_JOURNAL_H_
#define ATOMEMO_TESTS_FAKES_FAKE_CALL_JOURNAL_H_

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "bridge/router/ports.h"

namespace atomemo::fakes {

// Records what is noted, as "accepted r1", "started r1", "failed r1 sdk:timeout" and "ended r1".
class FakeCallJournal : public router::CallJournal {
 public:
  void Accepted(absl::string_view, absl::string_view request_id, absl::string_view,
                absl::Duration time_left) override {
    notes.push_back(absl::StrCat("accepted ", request_id));
    times_left.push_back(time_left);
  }
  void Started(absl::string_view, absl::string_view request_id,
               absl::string_view instance_id) override {
    notes.push_back(absl::StrCat("started ", request_id));
    instance_ids.emplace_back(instance_id);
  }
  void Failed(absl::string_view, absl::string_view request_id,
              const router::pb::PluginError& error) override {
    notes.push_back(absl::StrCat("failed ", request_id, " ", error.code()));
    error_messages.push_back(error.message());
  }
  void Ended(absl::string_view, absl::string_view request_id) override {
    notes.push_back(absl::StrCat("ended ", request_id));
  }

  std::vector<std::string> notes;
  // Of the calls that were accepted and started.
  std::vector<absl::Duration> times_left;
  std::vector<std::string> instance_ids;
  // Of the errors that calls failed with.
  std::vector<std::string> error_messages;
};

}  // namespace atomemo::fakes

#endif  // ATOMEMO_TESTS_FAKES_FAKE_CALL_JOURNAL_H_
