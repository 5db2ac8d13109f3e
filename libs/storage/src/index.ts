/** Images wherever they live, and run folders. */
export * from './storage-error.js';
export { ImageStore, type ImageStoreOptions } from './images/image-store.js';
export type { ListedImage, SkipReason } from './images/listed-image.js';
export { describeFile } from './images/list-folder.js';
export { localPath } from './local-path.js';
export { Roots } from './roots.js';
export { withoutPassword } from './without-password.js';
export { sampleId } from './sample-id.js';
export { writeFileAtomically, writeFolderAtomically } from './atomic-write.js';
export { openJsonl, readJsonl, type JsonlFile } from './jsonl-file.js';
export { JsonlTail, type JsonlNews } from './jsonl-tail.js';
export { writing } from './system-error.js';
export { isRunInUse, openRunFolder, runPaths, type RunFolder, type RunPaths } from './run-folder.js';
