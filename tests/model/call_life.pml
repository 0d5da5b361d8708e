/* The life of two calls between a hub, a bridge with its journal, and two workers.
 *
 * The hub repeats calls, loses its connection, and has a channel that crashes with what it has not looked at. The bridge is killed between
 * any two things that it does for others to see, and starts again from its journal. A worker is killed.  Checked:
 *
 *  - The hub takes one answer to each call, and the same again. (Unless bridge and worker were both killed: then nobody knows of the first.)
 *  - A call runs once; the second one, which is safe to retry, again once its worker is dead.
 *  - What a worker has answered is the answer, as long as the bridge or the worker lives.
 *  - Every run ends, and with an answer to each call: nothing is stuck, and nothing goes on for ever.
 *  - Every step of a call is one that bridge/router/live_call.cc allows: run.py compares the table.
 *
 * Time is chance: a deadline may pass whenever a call is active. But a channel is less behind its socket than answers take to settle, the
 * end of a topic is told before that, and a worker that lives comes back before its calls' deadlines.
 *
 * Left out: bounds, definitions that change, streams of their own, drain, and answers that the hub cannot take (tests/fuzz has all of them).
 */

/* How often, in one run, the bridge or a worker is killed, the channel crashes or the connection is cut; how often the hub repeats a call for
 * nothing; and whether a session may end although its worker lives. */
#ifndef FAULTS
#define FAULTS 2
#endif
#ifndef REPEATS
#define REPEATS 1
#endif

#define kNone 0
#define kRecovered 1
#define kAccepted 2
#define kQueued 3
#define kRunning 4
#define kFailing 5
#define kAnswered 6
#define kSent 7
#define kProven 8
#define kSettled 9

#define BIT(state) (1 << state)
/* steps */
#define STEPS_kRecovered (BIT(kAnswered))
#define STEPS_kAccepted (BIT(kQueued) | BIT(kAnswered))
#define STEPS_kQueued (BIT(kRunning) | BIT(kFailing) | BIT(kAnswered))
#define STEPS_kRunning (BIT(kQueued) | BIT(kFailing) | BIT(kAnswered))
#define STEPS_kFailing (BIT(kAnswered))
#define STEPS_kAnswered (BIT(kSent) | BIT(kSettled))
#define STEPS_kSent (BIT(kProven) | BIT(kAnswered) | BIT(kSettled))
#define STEPS_kProven (BIT(kSettled) | BIT(kAnswered))
#define STEPS_kSettled (0)
/* end of steps */
#define FROM(state, name) ((state) == name && ((STEPS_##name >> to) & 1))

#define CALLS 2
#define WORKERS 2
#define IS_SAFE(c) ((c) == 1)
/* An answer: that of worker w is w + 1, and the bridge has errors of its own. */
#define TIMEOUT 3
#define CRASH 4
#define RESTARTED 5
#define IS_WORD(answer) ((answer) == 1 || (answer) == 2)

/* ---- The bridge's memory */
byte state[CALLS];
byte holder[CALLS];      /* of a running call */
byte answer[CALLS];
byte confirm[CALLS];     /* the worker to tell, and one; 0: none */
byte known[CALLS];       /* remembered: the answer to a call that has ended */
bool doomed[CALLS];      /* a recovered call that its worker does not have, or is lost with */
bool connected[WORKERS]; /* has a session, published */
bool offered[WORKERS * CALLS];
/* What it is in the middle of. */
#define NOTHING 0
#define QUEUEING 1
#define SENDING 2
#define ANSWERING 3
byte doing;
byte whom;
byte with; /* that error */

/* ---- Its journal */
bool noted[CALLS];
bool noted_started[CALLS];
byte noted_worker[CALLS];
byte noted_failed[CALLS]; /* with that error */

/* ---- The hub */
bool up;
bool called[CALLS];
bool seen[CALLS]; /* by this bridge */
byte taken[CALLS];
bool taken_from_dead[CALLS]; /* by a bridge that is dead, from whoever it was */
/* The copy of an answer that is on its way: in the socket, or before the channel. */
#define IN_SOCKET 1
#define IN_CHANNEL 2
byte flight[CALLS];
byte flying[CALLS];
bool arrived[CALLS];    /* what was sent last is in the channel, or has been */
bool taken_along[CALLS]; /* a channel crashed with it */
bool lost[CALLS];        /* and the bridge was killed right then: nobody knows of the call */

/* ---- The workers */
bool alive[WORKERS];
#define HAS_NOT 0
#define DONE 1
byte has[WORKERS * CALLS];
byte runs[CALLS];
byte word[CALLS]; /* the answer that a worker gave, and that must not be lost */

byte faults;
byte repeats;

#define AT(w, c) ((w) * CALLS + (c))
#define IS_ACTIVE(c) (state[c] >= kAccepted && state[c] <= kFailing)
#define HAS_ANSWER(c) (state[c] >= kAnswered && state[c] <= kProven)
#define IDLE (doing == NOTHING)

inline Move(c, next) {
  to = next;
  assert(FROM(state[c], kRecovered) || FROM(state[c], kAccepted) || FROM(state[c], kQueued) || FROM(state[c], kRunning) ||
         FROM(state[c], kFailing) || FROM(state[c], kAnswered) || FROM(state[c], kSent) || FROM(state[c], kProven));
  state[c] = next;
  to = 0
}

inline Answer(c, given) {
  answer[c] = given;
  Move(c, kAnswered);
  doomed[c] = false;
  holder[c] = 0
}

/* The bridge fails a call itself: that is noted first. */
inline Fail(c, error) {
#ifndef FAULT_ERROR_NOT_NOTED
  noted_failed[c] = (noted[c] -> error : 0);
#endif
  with = error;
  doing = ANSWERING;
  whom = c
}

inline End(c) {
  noted[c] = false;
  noted_started[c] = false;
  noted_worker[c] = 0;
  noted_failed[c] = 0
}

inline Take(c) {
  if
  :: taken[c] == 0 ->
     taken[c] = flying[c];
     taken_from_dead[c] = false
  :: else ->
     assert(taken[c] == flying[c] || (taken_from_dead[c] && IS_WORD(taken[c]) && !alive[taken[c] - 1]))
  fi;
  flight[c] = 0;
  flying[c] = 0;
  taken_along[c] = false
}

/* The hub sends the call, for the first time or once more. */
inline OnCall(c) {
  if
#ifdef FAULT_RECOVERED_RUNS_AGAIN
  :: state[c] == kRecovered -> state[c] = kNone
#else
  :: state[c] == kRecovered && !noted_started[c] && noted_failed[c] == 0 && !doomed[c] -> state[c] = kNone
#endif
  :: else
  fi;
  if
  :: state[c] == kNone && known[c] == 0 ->
     state[c] = kAccepted;
     End(c);
     noted[c] = true;
     doing = QUEUEING;
     whom = c
  :: state[c] == kNone && known[c] != 0 ->
     state[c] = kAccepted;
     Answer(c, known[c])
  :: state[c] == kSent || state[c] == kProven -> Move(c, kAnswered)
  :: else
  fi;
  seen[c] = true
}

inline OnReply(w, c) {
  offered[AT(w, c)] = true;
  if
  :: IS_ACTIVE(c) || (state[c] == kRecovered && noted_failed[c] == 0 && !doomed[c]) || (state[c] == kNone && known[c] == 0) ->
     if
     :: state[c] == kNone -> state[c] = kAccepted
     :: else
     fi;
     Answer(c, w + 1);
     word[c] = w + 1;
     confirm[c] = w + 1
#ifdef FAULT_TOLD_TOO_EARLY
     ; has[AT(w, c)] = HAS_NOT
#endif
  :: HAS_ANSWER(c) && answer[c] == w + 1 -> confirm[c] = w + 1
  :: (HAS_ANSWER(c) && answer[c] != w + 1) || (state[c] == kNone && known[c] != 0) -> has[AT(w, c)] = HAS_NOT
  :: else -> offered[AT(w, c)] = false /* a recovered call that is about to fail */
  fi
}

/* The worker's session is over. */
inline OnSessionEnd(w) {
  connected[w] = false;
  c = 0;
  do
  :: c < CALLS ->
     if
     :: state[c] == kRunning && holder[c] == w && IS_SAFE(c) -> Move(c, kQueued); holder[c] = 0
     :: state[c] == kRunning && holder[c] == w && !IS_SAFE(c) -> Move(c, kFailing); holder[c] = 0
     :: state[c] == kRecovered && noted_started[c] && noted_worker[c] == w -> doomed[c] = true
     :: else
     fi;
     offered[AT(w, c)] = false;
     c++
  :: else -> break
  od;
  c = 0
}

/* What was on its way is gone, and the bridge knows. */
inline OnTopicLost() {
  up = false;
  c = 0;
  do
  :: c < CALLS ->
     if
     :: flight[c] == IN_CHANNEL -> taken_along[c] = true
     :: else
     fi;
     flight[c] = 0;
     flying[c] = 0;
     arrived[c] = false;
     if
#ifdef FAULT_PROVEN_IS_SETTLED
     :: state[c] == kSent -> Move(c, kAnswered)
#else
     :: state[c] == kSent || state[c] == kProven -> Move(c, kAnswered)
#endif
     :: else
     fi;
     c++
  :: else -> break
  od;
  c = 0
}

/* The channel looks at what its socket has got. */
inline LookAtAll() {
  c = 0;
  do
  :: c < CALLS ->
     if
     :: flight[c] == IN_CHANNEL -> Take(c)
     :: else
     fi;
     c++
  :: else -> break
  od;
  c = 0
}

inline KillBridge() {
  LookAtAll();
  up = false;
  doing = NOTHING;
  whom = 0;
  with = 0;
  c = 0;
  do
  :: c < CALLS ->
     flight[c] = 0;
     flying[c] = 0;
     arrived[c] = false;
     if
     :: word[c] != 0 && !alive[word[c] - 1] -> word[c] = 0
     :: else
     fi;
     if
     :: taken_along[c] && taken[c] == 0 && !noted[c] && has[AT(0, c)] != DONE && has[AT(1, c)] != DONE -> lost[c] = true
     :: else
     fi;
     taken_from_dead[c] = taken[c] != 0;
     state[c] = (noted[c] -> kRecovered : kNone);
     holder[c] = 0;
     answer[c] = 0;
     confirm[c] = 0;
     known[c] = 0;
     doomed[c] = false;
     seen[c] = false;
     offered[AT(0, c)] = false;
     offered[AT(1, c)] = false;
     c++
  :: else -> break
  od;
  connected[0] = false;
  connected[1] = false;
  c = 0
}

inline KillWorker(w) {
  alive[w] = false;
  if
  :: connected[w] -> OnSessionEnd(w)
  :: else
  fi;
  c = 0;
  do
  :: c < CALLS ->
     has[AT(w, c)] = HAS_NOT;
     if
     :: word[c] == w + 1 && !HAS_ANSWER(c) && known[c] == 0 && taken[c] == 0 -> word[c] = 0
     :: else
     fi;
     c++
  :: else -> break
  od;
  c = 0
}

inline Connect(w) {
  connected[w] = true;
  c = 0;
  do
  :: c < CALLS ->
     if
     :: state[c] == kRecovered && noted_started[c] && noted_worker[c] == w && has[AT(w, c)] == HAS_NOT -> doomed[c] = true
     :: else
     fi;
     c++
  :: else -> break
  od;
  c = 0
}

#define MAY_REPEAT(c) (up && called[c] && !lost[c] && (seen[c] || (taken[c] == 0 && !taken_along[c])))
#define IS_OVER(c) (called[c] && (taken[c] != 0 || lost[c]) && state[c] == kNone && !noted[c])

#define OF_CALL(c) \
  /* The hub. */ \
  :: atomic { IDLE && up && !called[c] -> called[c] = true; OnCall(c) } \
  :: atomic { IDLE && repeats < REPEATS && MAY_REPEAT(c) -> repeats++; OnCall(c) } \
  /* It asks again for what it knows nothing of, once the plugin is registered. */ \
  :: atomic { IDLE && up && called[c] && taken[c] == 0 && !lost[c] && !taken_along[c] && !seen[c] && state[c] == kNone -> OnCall(c) } \
  :: atomic { flight[c] == IN_SOCKET -> flight[c] = IN_CHANNEL; arrived[c] = true } \
  :: atomic { flight[c] == IN_CHANNEL -> Take(c) } \
  /* The bridge. */ \
  :: atomic { doing == QUEUEING && whom == c -> doing = NOTHING; whom = 0; Move(c, kQueued) } \
  :: atomic { doing == ANSWERING && whom == c -> doing = NOTHING; whom = 0; Answer(c, with); with = 0 } \
  :: atomic { doing == SENDING && whom == c -> \
       doing = NOTHING; \
       whom = 0; \
       assert(runs[c] == 0 || IS_SAFE(c)); \
       runs[c]++; \
       has[AT(holder[c], c)] = DONE /* how long it takes, the deadline tells */ } \
  :: atomic { IDLE && (state[c] == kQueued || state[c] == kRunning) -> /* its deadline */ \
       if \
       :: state[c] == kRunning -> has[AT(holder[c], c)] = HAS_NOT /* it is told so */ \
       :: else \
       fi; \
       Fail(c, TIMEOUT) } \
  :: FAILING(c) \
  :: atomic { IDLE && state[c] == kRecovered && noted_failed[c] != 0 -> Answer(c, noted_failed[c]) } \
  :: atomic { IDLE && state[c] == kRecovered && noted_failed[c] == 0 && (!noted_started[c] || doomed[c]) -> Fail(c, RESTARTED) } \
  :: atomic { IDLE && state[c] == kRecovered && noted_failed[c] == 0 && noted_started[c] && !alive[noted_worker[c]] -> Fail(c, TIMEOUT) } \
  :: atomic { IDLE && up && state[c] == kAnswered -> \
       Move(c, kSent); \
       SENT(c); \
       /* A copy of one that is in the channel already changes nothing. */ \
       arrived[c] = flight[c] == IN_CHANNEL; \
       flight[c] = (flight[c] == IN_CHANNEL -> IN_CHANNEL : IN_SOCKET); \
       flying[c] = answer[c] } \
  :: atomic { IDLE && up && state[c] == kSent && arrived[c] -> Move(c, kProven); End(c) } \
  :: atomic { IDLE && state[c] == kProven && SETTLES(c) -> \
       Move(c, kSettled); \
       REMEMBER(c); \
       if \
       :: confirm[c] != 0 -> has[AT(confirm[c] - 1, c)] = HAS_NOT \
       :: else \
       fi; \
       state[c] = kNone; \
       answer[c] = 0; \
       confirm[c] = 0 }

#ifdef FAULT_FAILING_RUNS_AGAIN
#define FAILING(c) atomic { IDLE && state[c] == kFailing -> Move(c, kQueued) }
#else
#define FAILING(c) atomic { IDLE && state[c] == kFailing -> Fail(c, CRASH) }
#endif
#ifdef FAULT_ENDED_WHEN_SENT
#define SENT(c) End(c)
#else
#define SENT(c) skip
#endif
#ifdef FAULT_PROVEN_IS_SETTLED
#define SETTLES(c) true
#else
#define SETTLES(c) (flight[c] == 0)
#endif
#ifdef FAULT_FORGETS
#define REMEMBER(c) skip
#else
#define REMEMBER(c) known[c] = answer[c]
#endif
#ifdef FAULT_START_NOT_NOTED
#define NOTE_START(w, c) skip
#else
#define NOTE_START(w, c) noted_started[c] = true; noted_worker[c] = w
#endif

#define OF_WORKER(w) \
  :: atomic { IDLE && alive[w] && !connected[w] -> Connect(w) } \
  :: atomic { IDLE && alive[w] && faults < FAULTS -> faults++; KillWorker(w) } \
  BREAK(w)

#ifdef SESSIONS_BREAK
#define BREAK(w) :: atomic { IDLE && connected[w] && faults < FAULTS -> faults++; OnSessionEnd(w) }
#else
#define BREAK(w)
#endif

#define OF_BOTH(w, c) \
  :: atomic { IDLE && connected[w] && state[c] == kQueued -> \
       NOTE_START(w, c); \
       Move(c, kRunning); \
       holder[c] = w; \
       doing = SENDING; \
       whom = c } \
  :: atomic { IDLE && connected[w] && has[AT(w, c)] == DONE && !offered[AT(w, c)] && !(state[c] == kRecovered && (noted_failed[c] != 0 || doomed[c])) -> \
       OnReply(w, c) }

active proctype World() {
  byte to;
  byte c;
  d_step {
    alive[0] = true;
    alive[1] = true
  }
  do
  OF_CALL(0)
  OF_CALL(1)
  OF_WORKER(0)
  OF_WORKER(1)
  OF_BOTH(0, 0)
  OF_BOTH(0, 1)
  OF_BOTH(1, 0)
  OF_BOTH(1, 1)
  :: atomic { IDLE && !up -> up = true }
  :: atomic { IDLE && up && faults < FAULTS -> faults++; OnTopicLost() }
  :: atomic { IDLE && up && faults < FAULTS -> faults++; LookAtAll(); OnTopicLost() }
  :: atomic { faults < FAULTS -> faults++; KillBridge() }
  :: atomic { IDLE && IS_OVER(0) && IS_OVER(1) ->
       assert(word[0] == 0 || taken[0] == word[0]);
       assert(word[1] == 0 || taken[1] == word[1]);
       break }
  od
}
