export { type Format, formatOf, type Thumbnail, THUMBNAILS } from './formats.js';
export { PREVIEW_PATH, type PreviewAddress, PreviewLinks, type Viewer } from './preview-links.js';
export { PreviewLinksModule } from './preview-links.module.js';
