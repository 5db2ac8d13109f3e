/** Images, checkpoints and run folders behind one small interface. */
export * from './storage.js';
export * from './storage-error.js';
export { fileStorage } from './file-storage.js';
export { describeFile } from './list-images.js';
export { localPath } from './local-path.js';
export { sampleId } from './sample-id.js';
export { writeFileAtomically, writeFolderAtomically } from './atomic-write.js';
export { openJsonl, readJsonl, type JsonlFile } from './jsonl-file.js';
export { JsonlTail, type JsonlNews } from './jsonl-tail.js';
export { isRunInUse, openRunFolder, runPaths, type RunFolder, type RunPaths } from './run-folder.js';
