#include "bridge/journal/call_journal_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "bridge/base/json.h"
#include "bridge/base/log.h"

namespace atomemo::journal {
namespace {

using base::QuoteJson;

constexpr mode_t kFileMode = 0600;

absl::Status SystemError(absl::string_view what, const std::string& path) {
  return absl::ErrnoToStatus(errno, absl::StrCat(what, " ", path));
}

// Not so when its owner has put another file in its place since it was opened.
bool IsStillAt(const std::string& path, int fd) {
  struct stat opened = {}, there = {};
  return fstat(fd, &opened) == 0 && stat(path.c_str(), &there) == 0 &&
         opened.st_ino == there.st_ino && opened.st_dev == there.st_dev;
}

// An open, locked file.
absl::StatusOr<int> OpenLocked(const std::string& path, int flags) {
  const int fd =
      open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | flags, kFileMode);
  if (fd < 0) {
    return SystemError("cannot open the journal (choose another place with --journal)", path);
  }
  const bool is_locked = flock(fd, LOCK_EX | LOCK_NB) == 0;
  if (is_locked && IsStillAt(path, fd)) return fd;
  const absl::Status locked =
      is_locked || errno == EWOULDBLOCK
          ? absl::UnavailableError(absl::StrCat("another bridge has locked the journal ", path,
                                                ": stop it, or give this one its own --socket"))
          : SystemError("cannot lock the journal", path);
  close(fd);
  return locked;
}

absl::StatusOr<std::string> ReadAll(int fd, const std::string& path) {
  std::string text;
  char buffer[64 << 10];
  while (true) {
    const ssize_t count = read(fd, buffer, sizeof(buffer));
    if (count == 0) return text;
    if (count > 0) {
      text.append(buffer, static_cast<std::size_t>(count));
    } else if (errno != EINTR) {
      return SystemError("cannot read the journal", path);
    }
  }
}

absl::Status WriteAll(int fd, absl::string_view text, const std::string& path) {
  while (!text.empty()) {
    const ssize_t count = write(fd, text.data(), text.size());
    if (count >= 0) {
      text.remove_prefix(static_cast<std::size_t>(count));
    } else if (errno != EINTR) {
      return SystemError("cannot write the journal", path);
    }
  }
  return absl::OkStatus();
}

std::string AcceptedLine(absl::string_view topic, absl::string_view request_id,
                         absl::string_view event, absl::Time due) {
  return absl::StrCat("[\"+\",", QuoteJson(topic), ",", QuoteJson(request_id), ",",
                      QuoteJson(event), ",", absl::ToUnixMillis(due), "]\n");
}

std::string FailedLine(absl::string_view topic, absl::string_view request_id,
                       absl::string_view error) {
  return absl::StrCat("[\"!\",", QuoteJson(topic), ",", QuoteJson(request_id), ",\"", error,
                      "\"]\n");
}

// Nothing if there is none, or it cannot be read.
std::optional<router::pb::PluginError> DecodeError(const std::string& text) {
  std::string bytes;
  router::pb::PluginError error;
  if (text.empty() || !absl::Base64Unescape(text, &bytes) || !error.ParseFromString(bytes)) {
    return std::nullopt;
  }
  return error;
}

std::string StartedLine(absl::string_view topic, absl::string_view request_id,
                        absl::string_view instance_id) {
  return absl::StrCat("[\">\",", QuoteJson(topic), ",", QuoteJson(request_id), ",",
                      QuoteJson(instance_id), "]\n");
}

std::string EndedLine(absl::string_view topic, absl::string_view request_id) {
  return absl::StrCat("[\"-\",", QuoteJson(topic), ",", QuoteJson(request_id), "]\n");
}

}  // namespace

CallJournalFile::CallJournalFile(WallClock clock, std::size_t compact_bytes)
    : clock_(std::move(clock)), compact_bytes_(compact_bytes) {}

CallJournalFile::~CallJournalFile() {
  if (is_open()) close(fd_);
}

absl::StatusOr<std::vector<router::JournaledCall>> CallJournalFile::Open(const std::string& path) {
  path_ = path;
  const absl::StatusOr<int> fd = OpenLocked(path, 0);
  if (!fd.ok()) return fd.status();
  fd_ = *fd;
  const absl::StatusOr<std::string> text = ReadAll(fd_, path);
  if (!text.ok()) return text.status();
  Read(*text);
  if (absl::Status status = Compact(); !status.ok()) return status;

  std::vector<router::JournaledCall> calls;
  for (const auto& [key, entry] : open_) {
    calls.push_back({key.first, key.second, entry.event, entry.due - clock_(), entry.started,
                     entry.instance_id, DecodeError(entry.error)});
  }
  return calls;
}

void CallJournalFile::Read(absl::string_view text) {
  for (absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) ReadLine(line);
}

// A line that was cut off, or that somebody else wrote, is no reason not to start.
void CallJournalFile::ReadLine(absl::string_view line) {
  const absl::StatusOr<base::Json> note = base::ParseJson(line);
  if (!note.ok() || !note->is_array() || note->size() < 3) return;
  for (std::size_t i = 0; i < 3; ++i) {
    if (!(*note)[i].is_string()) return;
  }
  const std::string kind = (*note)[0].get<std::string>();
  const Key key((*note)[1].get<std::string>(), (*note)[2].get<std::string>());
  if (kind == "+" && note->size() == 5 && (*note)[3].is_string() &&
      (*note)[4].is_number_integer()) {
    open_[key] =
        Entry{(*note)[3].get<std::string>(), absl::FromUnixMillis((*note)[4].get<std::int64_t>())};
  } else if (kind == ">" && note->size() == 4 && (*note)[3].is_string()) {
    if (const auto entry = open_.find(key); entry != open_.end()) {
      entry->second.started = true;
      entry->second.instance_id = (*note)[3].get<std::string>();
    }
  } else if (kind == "!" && note->size() == 4 && (*note)[3].is_string()) {
    if (const auto entry = open_.find(key); entry != open_.end()) {
      entry->second.error = (*note)[3].get<std::string>();
    }
  } else if (kind == "-") {
    open_.erase(key);
  }
}

void CallJournalFile::Accepted(absl::string_view topic, absl::string_view request_id,
                               absl::string_view event, absl::Duration time_left) {
  if (!is_open()) return;
  const absl::Time due = clock_() + time_left;
  open_[Key(topic, request_id)] = Entry{std::string(event), due};
  Append(AcceptedLine(topic, request_id, event, due));
}

void CallJournalFile::Started(absl::string_view topic, absl::string_view request_id,
                              absl::string_view instance_id) {
  if (!is_open()) return;
  const auto entry = open_.find(Key(topic, request_id));
  if (entry == open_.end()) return;
  entry->second.started = true;
  entry->second.instance_id = std::string(instance_id);
  Append(StartedLine(topic, request_id, instance_id));
}

void CallJournalFile::Failed(absl::string_view topic, absl::string_view request_id,
                             const router::pb::PluginError& error) {
  if (!is_open()) return;
  const auto entry = open_.find(Key(topic, request_id));
  if (entry == open_.end()) return;
  entry->second.error = absl::Base64Escape(error.SerializeAsString());
  Append(FailedLine(topic, request_id, entry->second.error));
}

void CallJournalFile::Ended(absl::string_view topic, absl::string_view request_id) {
  if (!is_open() || open_.erase(Key(topic, request_id)) == 0) return;
  Append(EndedLine(topic, request_id));
}

void CallJournalFile::Append(const std::string& line) {
  if (absl::Status status = WriteAll(fd_, line, path_); !status.ok()) return GiveUp(status);
  size_ += line.size();
  CompactIfGrown();
}

void CallJournalFile::CompactIfGrown() {
  if (size_ < compact_at_) return;
  if (absl::Status status = Compact(); !status.ok()) GiveUp(status);
}

// The new file takes the old one's place whole, and is locked before it does.
absl::Status CallJournalFile::Compact() {
  const std::string next = path_ + ".next";
  unlink(next.c_str());
  const absl::StatusOr<int> fd = OpenLocked(next, O_EXCL);
  if (!fd.ok()) return fd.status();
  std::string text;
  for (const auto& [key, entry] : open_) {
    absl::StrAppend(&text, AcceptedLine(key.first, key.second, entry.event, entry.due));
    if (entry.started) {
      absl::StrAppend(&text, StartedLine(key.first, key.second, entry.instance_id));
    }
    if (!entry.error.empty()) {
      absl::StrAppend(&text, FailedLine(key.first, key.second, entry.error));
    }
  }
  absl::Status status = WriteAll(*fd, text, next);
  if (status.ok() && rename(next.c_str(), path_.c_str()) != 0) {
    status = SystemError("cannot replace the journal", path_);
  }
  if (!status.ok()) {
    close(*fd);
    unlink(next.c_str());
    return status;
  }
  close(fd_);
  fd_ = *fd;
  size_ = text.size();
  compact_at_ = std::max(compact_bytes_, 2 * size_);
  return absl::OkStatus();
}

void CallJournalFile::GiveUp(const absl::Status& why) {
  base::LogError(
      "the journal is given up: should the bridge be killed, the next one will not know "
      "its calls",
      {{"error", why.message()}});
  // What it says is true no longer: the next bridge would answer calls that have their answers.
  if (ftruncate(fd_, 0) != 0) unlink(path_.c_str());
  close(fd_);
  fd_ = -1;
  open_.clear();
}

}  // namespace atomemo::journal
