// Adapters for the pocket's base, on the rows of a folder of data prepare: node examples/train.mjs rows my-vae
import { BigVaeError } from "bigvae";
import { planVae, trainVae } from "bigvae/train";

const [preprocessed, output] = process.argv.slice(2);
if (!preprocessed || !output) {
  console.error("usage: node examples/train.mjs ROWS OUTPUT, where ROWS is a folder of bigvae data prepare");
  process.exit(2);
}
const options = { model: "pocket", preprocessed, output, span: 16, zDim: 64, rank: 4, batchSize: 2, steps: 4 };
try {
  const { trainableParameters, seconds } = await planVae(options);
  console.log(`${trainableParameters} parameters, about ${Math.ceil(seconds)} s`);
  const finished = await trainVae(options, {
    onReport(report) {
      if (report.kind === "step") console.log(`step ${report.step} of ${report.totalSteps}:`, report.metrics);
      if (report.kind === "sample") console.log(report.sample);
    },
  });
  console.log(finished ? `${output} is finished` : `${output} was stopped`);
} catch (error) {
  // What a user can mend is one sentence: a wrong path, a full disk.
  if (!(error instanceof BigVaeError)) throw error;
  console.error(error.message);
  process.exitCode = error.exitCode;
}
