/** What a command may touch of the process around it; `main.ts` makes it. */
export interface CommandContext {
  /** Writes a line of result. With `--json` a command writes the one object, and nothing else. */
  readonly out: (line: string) => void;
  /** What is piped in. */
  readonly stdin: NodeJS.ReadableStream;
  /** Where progress goes; a terminal gets bars. */
  readonly stderr: NodeJS.WriteStream;
  /** Aborts at Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal;
  /** Folder for what can be made again: exported graphs, TensorFlow. */
  readonly cacheDirectory: string;
  /** Environment variables, for keys of endpoints and the password of Kafka. */
  readonly env: Readonly<Record<string, string | undefined>>;
}
