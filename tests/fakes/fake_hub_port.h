#ifndef ATOMEMO_TESTS_FAKES_FAKE_HUB_PORT_H_
#define ATOMEMO_TESTS_FAKES_FAKE_HUB_PORT_H_

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "bridge/router/ports.h"

namespace atomemo::fakes {

// A hub that records what it is sent. A test says which topics are joined, and proves what was sent
// when it likes.
class FakeHubPort : public router::HubPort {
 public:
  struct Pushed {
    std::string topic;
    router::HubAnswer answer;
    router::HubPosition position;
  };

  void Announce(router::Announcement announcement) override {
    announcements.push_back(std::move(announcement));
  }
  bool IsUp(absl::string_view topic) const override { return joined.count(std::string(topic)) > 0; }
  void Withdraw(absl::string_view topic) override { withdrawn.emplace_back(topic); }
  std::optional<router::HubPosition> Push(absl::string_view topic,
                                          const router::HubAnswer& answer) override {
    if (!writable || joined.count(std::string(topic)) == 0) return std::nullopt;
    pushed.push_back({std::string(topic), answer, {socket, ++sequence}});
    return pushed.back().position;
  }
  bool PushRefusal(absl::string_view topic, const router::HubAnswer& answer) override {
    if (joined.count(std::string(topic)) == 0) return false;
    ++refusals;
    pushed.push_back({std::string(topic), answer, {socket, ++sequence}});
    return true;
  }
  bool PushRequest(absl::string_view topic, const router::HubRequest& request) override {
    if (!writable || joined.count(std::string(topic)) == 0) return false;
    requests.emplace_back(topic, request);
    return true;
  }
  void RequestProof(absl::string_view topic) override { proof_requests.emplace_back(topic); }
  admin::v1::HubConnection Connection() const override {
    admin::v1::HubConnection connection;
    connection.set_connected(why_not_connected.empty());
    connection.set_reason(why_not_connected);
    return connection;
  }

  void Hasten(absl::string_view topic) override { hastened.emplace_back(topic); }
  void Quarantine(absl::string_view topic) override { quarantined.emplace(topic); }
  void Unquarantine(absl::string_view topic) override { quarantined.erase(std::string(topic)); }
  void LearnFrom(const router::HubAnswer& refused, const router::HubLoss&) override {
    learnt_from.push_back(refused.request_id);
  }
  void Leave(absl::string_view topic) override { left.emplace_back(topic); }

  // Everything sent so far, as the position that a proof would name.
  router::HubPosition position() const { return {socket, sequence}; }
  // The answers to one call, as the hub got them.
  std::vector<router::HubAnswer> AnswersTo(absl::string_view request_id) const {
    std::vector<router::HubAnswer> answers;
    for (const Pushed& push : pushed) {
      if (push.answer.request_id == request_id) answers.push_back(push.answer);
    }
    return answers;
  }

  std::string why_not_connected;
  std::set<std::string> joined;
  bool writable = true;
  std::uint64_t socket = 1;
  std::uint64_t sequence = 0;
  std::vector<router::Announcement> announcements;
  std::vector<std::string> withdrawn;
  std::vector<Pushed> pushed;
  std::vector<std::pair<std::string, router::HubRequest>> requests;
  std::vector<std::string> proof_requests;
  int refusals = 0;
  std::vector<std::string> hastened;
  std::set<std::string> quarantined;
  std::vector<std::string> learnt_from;  // request_ids
  std::vector<std::string> left;
};

}  // namespace atomemo::fakes

#endif  // ATOMEMO_TESTS_FAKES_FAKE_HUB_PORT_H_
