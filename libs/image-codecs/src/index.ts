export { sharp } from './sharp.js';
export type { Metadata } from 'sharp';
