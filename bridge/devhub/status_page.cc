#include "bridge/devhub/status_page.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/time.h"

namespace atomemo::devhub {
namespace {

constexpr std::size_t kShownCalls = 50;

constexpr absl::string_view kHead = R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="5">
<title>Atomemo development hub</title>
<style>body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.3rem .8rem .3rem 0;
border-bottom:1px solid #ddd}</style></head><body><h1>Atomemo development hub</h1>
)";

std::string Escape(absl::string_view text) {
  return absl::StrReplaceAll(
      text, {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"}, {"'", "&#39;"}});
}

std::string Cell(absl::string_view text) { return absl::StrCat("<td>", Escape(text), "</td>"); }

std::string PluginTable(const TopicDirectory& directory) {
  if (directory.topics().empty()) return "<p>No plugin has joined.</p>\n";
  std::string html =
      "<table><tr><th>Topic</th><th>Joined</th><th>Sockets</th><th>Definition</th></tr>\n";
  for (const auto& [topic, entry] : directory.topics()) {
    absl::StrAppend(
        &html, "<tr>", Cell(topic),
        Cell(absl::FormatTime(absl::RFC3339_sec, entry.joined_at, absl::UTCTimeZone())),
        Cell(absl::StrCat(entry.sockets.size())),
        Cell(entry.definition.empty() ? "none" : absl::StrCat(entry.definition.size(), " bytes")),
        "</tr>\n");
  }
  return html + "</table>\n";
}

std::string CallTable(const CallBroker& broker) {
  std::string html = absl::StrCat("<p>", broker.pending(), " pending, ", broker.counters().answered,
                                  " answered, ", broker.counters().timed_out, " timed out.</p>\n");
  absl::StrAppend(&html, "<table><tr><th>Topic</th><th>Event</th><th>Answer</th><th>Time</th></tr>",
                  "\n");
  for (const Call* call : broker.Recent(kShownCalls)) {
    const bool answered = !call->answers.empty();
    absl::StrAppend(&html, "<tr>", Cell(call->topic), Cell(call->event),
                    Cell(answered ? absl::string_view(call->answers.front().event)
                                  : CallStateName(call->state)),
                    Cell(answered ? absl::FormatDuration(absl::Trunc(call->answers.front().elapsed,
                                                                     absl::Microseconds(10)))
                                  : ""),
                    "</tr>\n");
  }
  return html + "</table>\n";
}

}  // namespace

std::string StatusPage(const TopicDirectory& directory, const CallBroker& broker) {
  return absl::StrCat(kHead, "<h2>Plugins</h2>\n", PluginTable(directory), "<h2>Calls</h2>\n",
                      CallTable(broker), "</body></html>\n");
}

}  // namespace atomemo::devhub
