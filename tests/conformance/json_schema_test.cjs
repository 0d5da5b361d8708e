// The JSON Schemas against the vectors: what is valid must pass, and what is not must fail, unless every fault in it
// is of a kind that JSON Schema cannot express. Usage: node json_schema_test.cjs DEFINITION_TOOL

const { execFileSync, spawnSync } = require("node:child_process")
const { existsSync, readdirSync, readFileSync } = require("node:fs")
const { join } = require("node:path")
const Ajv = require("ajv/dist/2020")

const tool = process.argv[2]
const root = join(__dirname, "..", "..")
const shared = process.env.ATOMEMO_CONFORMANCE_DIR ?? join(root, "..", "shared", "conformance")

// Rules across members, host names, and upper case beyond ASCII, by what `check` says when they are broken.
const inexpressible = [
  /is taken by an earlier element/,
  /^an OAuth2 credential needs/,
  /^an object with a `constant` must have no `properties`/,
  /^the object has no property named .* discriminator/,
  /the union's discriminator, needs a `constant`/,
  /^another object of the union has the same `constant`/,
  /^expected an address such as/,
  /must start in upper case$/,
]

// `strict` refuses more on purpose, and is not what the vectors tell of.
const ajv = new Ajv({ strict: false, allErrors: false })
const schemas = new Map()
function schemaOf(name) {
  if (!schemas.has(name)) {
    const text = execFileSync(tool, ["schema", name], { encoding: "utf8", maxBuffer: 1 << 26 })
    schemas.set(name, ajv.compile(JSON.parse(text)))
  }
  return schemas.get(name)
}

function readVectors(file) {
  return readFileSync(file, "utf8").trimEnd().split("\n").map((line) => JSON.parse(line))
}

function messagesOf(vectors, schema) {
  const input = vectors.map((vector) => JSON.stringify(vector.value)).join("\n") + "\n"
  const run = spawnSync(tool, ["check", schema], { input, encoding: "utf8", maxBuffer: 1 << 28 })
  return run.stdout.trimEnd().split("\n").map((line) => JSON.parse(line).errors.map((error) => error.message))
}

let accepted = 0
let refused = 0
let beyond = 0
const failures = []

function judge(vectors, schema) {
  const messages = messagesOf(vectors, schema)
  vectors.forEach((vector, i) => {
    const passes = schemaOf(schema)(vector.value)
    if (vector.valid && passes) accepted += 1
    else if (!vector.valid && !passes) refused += 1
    else if (!vector.valid && messages[i].every((message) => inexpressible.some((pattern) => pattern.test(message)))) beyond += 1
    else failures.push(`${schema}: valid ${vector.valid}, passes ${passes}: ${vector.why}\n    ${JSON.stringify(vector.value).slice(0, 300)}`)
  })
}

function judgeAll(vectors) {
  for (const schema of new Set(vectors.map((vector) => vector.schema))) {
    judge(vectors.filter((vector) => vector.schema === schema), schema)
  }
}

judgeAll(readVectors(join(__dirname, "definition_vectors.jsonl")))
if (existsSync(join(shared, "corpus"))) {
  judgeAll(readVectors(join(shared, "recorded_vectors.jsonl")))
  const corpus = readdirSync(join(shared, "corpus"))
  judge(corpus.map((file) => ({ valid: true, why: file, value: JSON.parse(readFileSync(join(shared, "corpus", file), "utf8")) })), "definition")
} else {
  console.log("the shared conformance data is not here: its part is skipped (set ATOMEMO_CONFORMANCE_DIR)")
}
console.log(`${accepted} accepted, ${refused} refused, ${beyond} refused by rules beyond JSON Schema, ${failures.length} failures`)
for (const failure of failures.slice(0, 20)) console.log(failure)
process.exit(failures.length > 0 || accepted === 0 || refused === 0 ? 1 : 0)
