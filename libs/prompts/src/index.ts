export { formatAnnotation, parseAnnotation } from './annotation-format.js';
export type { QuestionAndAnswer } from './annotation-format.js';
export { annotationPrompt, answerPrompt, PROMPT_VERSION } from './annotation-prompt.js';
export { RATIONALE_PROMPT, rationalePrompt, splitRationale, STEP_BREAK } from './rationale.js';
