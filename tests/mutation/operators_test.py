import unittest

from operators import mutations


class OperatorsTest(unittest.TestCase):
    def test_a_comparison_moves_its_edge_and_a_condition_turns_around(self):
        self.assertEqual(mutations("  if (a < b) return;"), ["  if (a <= b) return;", "  if (!(a < b)) return;"])

    def test_each_place_is_changed_alone(self):
        self.assertEqual(mutations("  x = a + b - c;"), ["  x = a - b - c;", "  x = a + b + c;", "  ;"])

    def test_a_call_is_left_out(self):
        self.assertEqual(mutations("    hub_.Withdraw(topic);  // for good"), ["    ;"])

    def test_truth_and_bounds_are_swapped(self):
        self.assertEqual(mutations("  return true;"), ["  return false;"])
        self.assertEqual(mutations("  return std::min(a, b);"), ["  return std::max(a, b);"])

    def test_templates_pointers_and_declarations_stay(self):
        for line in ("  std::vector<std::pair<int, int>> v;", "  const auto x = y->z;", "  HubLoss loss;", "  using ::testing::Not;",
                     "  std::optional<CallStream>& stream = session->stream(kind);", "}", "  explicit Router(HubPort& hub);"):
            self.assertEqual(mutations(line), [], line)

    def test_texts_logs_and_invariants_stay(self):
        for line in ('  base::LogInfo("a == b", {});', "  (void)ATOMEMO_INVARIANT(a <= b);", '  // if (a < b)', '#include <vector>'):
            self.assertEqual(mutations(line), [], line)
        self.assertEqual(mutations('  text += "a == b";'), ['  text -= "a == b";', '  ;'])


if __name__ == "__main__":
    unittest.main()
