import { fromBinary, toBinary } from '@bufbuild/protobuf';
import type { DescMessage, MessageShape } from '@bufbuild/protobuf';
import { AnnotationSchema, DecisionSchema, ImageRecordSchema, TeacherReplySchema } from '@mpa/contracts';
import { defineTopic } from '@mpa/streams';
import type { Topic } from '@mpa/streams';

/** The streams between the services, keyed by sample id. */
export const topics = {
  images: topic('images', ImageRecordSchema),
  annotations: topic('annotations', AnnotationSchema),
  decisions: topic('decisions', DecisionSchema),
  replies: topic('replies', TeacherReplySchema),
};

function topic<S extends DescMessage>(name: string, schema: S): Topic<MessageShape<S>> {
  return defineTopic(name, {
    contentType: `application/x-protobuf; type=${schema.typeName}`,
    encode: (message) => toBinary(schema, message),
    decode: (bytes) => fromBinary(schema, bytes),
  });
}
