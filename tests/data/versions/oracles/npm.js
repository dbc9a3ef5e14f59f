// Reads [range, version] a line; answers [strict, with pre-releases], each true, false, "range" or "version".
const semver = require(require("path").resolve("node_modules/semver"));
const judge = (range, version, options) => {
  let demand;
  try { demand = new semver.Range(range, options); } catch { return "range"; }
  try { return demand.test(new semver.SemVer(version, options)); } catch { return "version"; }
};
const lines = require("fs").readFileSync(0, "utf8").split("\n").filter(Boolean);
const answers = lines.map((line) => {
  const [range, version] = JSON.parse(line);
  return JSON.stringify([judge(range, version, {}), judge(range, version, { includePrerelease: true })]);
});
process.stdout.write(answers.join("\n") + "\n");
