/** `node libs/setup/src/kafka-tools.mjs RELEASE`: gets Kafka's own tools, and prints their class path for Java. */
import { kafkaTools } from './kafka/kafka-release.mjs';
import { runMain } from './set-up.mjs';

await runMain(async () => {
  const { classPath } = await kafkaTools(process.argv[2] ?? '4');
  console.log(classPath);
});
