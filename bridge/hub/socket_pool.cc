#include "bridge/hub/socket_pool.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace atomemo::hub {

SocketPool::SocketPool(base::Scheduler& scheduler, Make make, Options options)
    : scheduler_(scheduler), make_(std::move(make)), options_(options) {}

SocketPool::~SocketPool() {
  for (const Entry& entry : entries_) scheduler_.Cancel(entry.linger_timer);
}

void SocketPool::Keep(router::HubMode mode) { Open(mode).kept = true; }

PhoenixSocket& SocketPool::Acquire(router::HubMode mode) {
  auto entry = entries_.end();  // the one with the fewest topics
  std::size_t sockets = 0;
  for (auto candidate = entries_.begin(); candidate != entries_.end(); ++candidate) {
    if (candidate->mode != mode) continue;
    ++sockets;
    if (candidate->alone || candidate->channels >= candidate->capacity) continue;
    if (entry == entries_.end() || candidate->channels < entry->channels) entry = candidate;
  }
  if (entry == entries_.end() || (entry->channels > 0 && sockets < options_.spread)) {
    Open(mode);
    entry = std::prev(entries_.end());
  }
  ++entry->channels;
  scheduler_.Cancel(std::exchange(entry->linger_timer, base::Scheduler::kNoTimer));
  return *entry->socket;
}

void SocketPool::Release(const PhoenixSocket& socket) {
  Entry& entry = Find(socket);
  if (--entry.channels > 0) return;
  entry.alone = false;
  if (entry.kept) return;
  entry.linger_timer =
      scheduler_.After(options_.linger, [this, closing = &socket] { Close(*closing); });
}

PhoenixSocket* SocketPool::AcquireAlone(const PhoenixSocket& shared) {
  Entry& entry = Find(shared);
  const auto alone = std::count_if(entries_.begin(), entries_.end(),
                                   [](const Entry& other) { return other.alone; });
  if (entry.alone || static_cast<std::size_t>(alone) >= options_.max_alone) return nullptr;
  if (entry.channels <= 1) {
    entry.alone = true;
    return nullptr;
  }
  Entry& own = Open(entry.mode);
  own.channels = 1;
  own.alone = true;
  return own.socket.get();
}

void SocketPool::Share(const PhoenixSocket& socket) { Find(socket).alone = false; }

bool SocketPool::MarkFull(const PhoenixSocket& socket) {
  Entry& entry = Find(socket);
  if (entry.channels <= 1) return false;
  entry.capacity = std::min(entry.capacity, entry.channels - 1);
  return true;
}

void SocketPool::Shutdown(std::function<void()> done) {
  if (entries_.empty()) return scheduler_.Post(std::move(done));
  auto open = std::make_shared<std::size_t>(entries_.size());
  for (const Entry& entry : entries_) {
    scheduler_.Cancel(entry.linger_timer);
    entry.socket->Shutdown([open, done] {
      if (--*open == 0) done();
    });
  }
}

std::size_t SocketPool::open() const {
  return static_cast<std::size_t>(
      std::count_if(entries_.begin(), entries_.end(),
                    [](const Entry& entry) { return entry.socket->is_open(); }));
}

const router::pb::HubState* SocketPool::state() const {
  if (entries_.empty()) return nullptr;
  const auto kept =
      std::find_if(entries_.begin(), entries_.end(), [](const Entry& entry) { return entry.kept; });
  return &(kept == entries_.end() ? entries_.front() : *kept).socket->state();
}

SocketPool::Entry& SocketPool::Open(router::HubMode mode) {
  Entry& entry = entries_.emplace_back();
  entry.mode = mode;
  entry.socket = make_(mode);
  entry.capacity = options_.max_channels_per_socket;
  entry.socket->Start();
  return entry;
}

SocketPool::Entry& SocketPool::Find(const PhoenixSocket& socket) {
  return *std::find_if(entries_.begin(), entries_.end(),
                       [&](const Entry& entry) { return entry.socket.get() == &socket; });
}

void SocketPool::Close(const PhoenixSocket& socket) {
  Entry& entry = Find(socket);
  entry.capacity = 0;  // not to be acquired any more
  entry.socket->Shutdown([this, alive = std::weak_ptr<bool>(alive_), closed = &socket] {
    if (alive.lock() == nullptr) return;
    entries_.remove_if([&](const Entry& other) { return other.socket.get() == closed; });
  });
}

}  // namespace atomemo::hub
