import sharp from 'sharp';

/** What photographs and drawings come in, by the names of libvips' classes (`vips -l foreign`). */
const LOADERS = ['Jpeg', 'Png', 'Webp', 'Nsgif', 'Tiff', 'Heif'];

sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({ operation: LOADERS.map((name) => `VipsForeignLoad${name}`) });

/**
 * sharp, which reads JPEG, PNG, WebP, GIF, TIFF and AVIF here and nothing else: not what libvips reads besides (SVG, PDF, raw numbers...), of
 * which a file of a kilobyte can be made to take any time, before it is known what it is. For the whole process.
 */
export { sharp };
