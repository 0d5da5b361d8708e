#include "bridge/journal/journal_status.h"

namespace atomemo::journal {

admin::v1::GetStatusResponse StatusWithJournal::Status() const {
  admin::v1::GetStatusResponse status = bridge_.Status();
  if (journal_.path().empty()) return status;
  admin::v1::JournalStatus& journal = *status.mutable_journal();
  journal.set_path(journal_.path());
  const JournalHealth health = journal_.health();
  journal.set_ok(health.ok);
  journal.set_problem(health.problem);
  return status;
}

}  // namespace atomemo::journal
