import type { VNode } from 'preact';

/** What a card shows of a sample. */
export interface CardSample {
  readonly task: string;
  readonly question: string;
  readonly answer: string;
  readonly studentAnswer: string;
}

interface SampleCardProps {
  readonly sample: CardSample;
  /** Address of the image; undefined when it can no longer be read. */
  readonly image: string | undefined;
  readonly imageName: string;
}

/** A sample of the gallery: image, question, both models' answers. */
export function SampleCard({ sample, image, imageName }: SampleCardProps): VNode {
  const { task, question, answer, studentAnswer } = sample;
  return (
    <>
      <SampleImage image={image} name={imageName} />
      <p class="task">{task}</p>
      <p class="question">{question}</p>
      <dl>
        <dt>L-VLM</dt>
        <dd class="right">{answer}</dd>
        <dt>S-VLM</dt>
        <dd class="wrong">{studentAnswer || '(nothing)'}</dd>
      </dl>
    </>
  );
}

/** An image of a sample, or that it went away after it was annotated: the sample is still worth showing. */
function SampleImage({ image, name }: { readonly image: string | undefined; readonly name: string }): VNode {
  if (image === undefined) return <p class="gone">{name} is no longer readable</p>;
  return <img src={image} alt={name} loading="lazy" />;
}
