#include "bridge/definition/lint.h"
namespace atomemo::definition {
void Lint(Schema, const base::Json&, ViolationSink&) {}
}
