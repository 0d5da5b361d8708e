#ifndef ATOMEMO_BRIDGE_JOURNAL_JOURNAL_STATUS_H_
#define ATOMEMO_BRIDGE_JOURNAL_JOURNAL_STATUS_H_

#include "bridge/journal/call_journal_file.h"
#include "bridge/router/ports.h"

namespace atomemo::journal {

// What the router says of the bridge, and how its journal is.
class StatusWithJournal : public router::StatusPort {
 public:
  StatusWithJournal(const router::StatusPort& bridge, const CallJournalFile& journal)
      : bridge_(bridge), journal_(journal) {}

  admin::v1::GetStatusResponse Status() const override;

 private:
  const router::StatusPort& bridge_;
  const CallJournalFile& journal_;
};

}  // namespace atomemo::journal

#endif  // ATOMEMO_BRIDGE_JOURNAL_JOURNAL_STATUS_H_
