import type { GraphValue, SavedGraph } from '@mpa/onnx';

/** What is in a folder of exported graphs, for whoever runs them: every input and output with type and shape. Markdown. */
export function onnxReadme(graphs: readonly SavedGraph[]): string {
  return [
    '# A vision-language model as ONNX graphs',
    '',
    'Written by `mpa export --format onnx`, in float32 (opset 21, and operators of `com.microsoft`: ONNX Runtime 1.20 or newer). The',
    'weights of `NAME.onnx` are in `NAME.data`. Configuration, tokenizer and processor files are those of the checkpoint.',
    '',
    'Run `vision.onnx` on an image, or all its tiles, and `text.onnx` on prompts with those features. The text graph scores given tokens',
    '(`targetRows`) and generates (`steps`), the whole loop inside; what is not wanted gets inputs of length 0, and one of `rows`.',
    ...graphs.flatMap(({ file, inputs, outputs }) => [
      '',
      `## ${file}`,
      '',
      ...table('input', inputs),
      '',
      ...table('output', outputs),
    ]),
    '',
  ].join('\n');
}

function table(kind: string, values: readonly GraphValue[]): string[] {
  return [
    `| ${kind} | type | shape | meaning |`,
    '| --- | --- | --- | --- |',
    ...values.map(({ name, type, dims, meaning }) => `| \`${name}\` | ${type} | [${dims.join(', ')}] | ${meaning} |`),
  ];
}
