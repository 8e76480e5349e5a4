export { type Format, formatOf, type Thumbnail, THUMBNAILS } from './formats.js';
export { Pictures } from './making/pictures.js';
export { PREVIEW_PATH, type PreviewAddress, PreviewLinks } from './preview-links.js';
export { PreviewLinksModule } from './preview-links.module.js';
export { PreviewMaker } from './preview-maker.js';
export { PreviewScan } from './preview-scan.js';
export { type DocumentView, type OpenPreview, type OpenRequest, type PreviewRequest, Previews } from './previews.service.js';
export { PicturesModule, PreviewJobsModule, PreviewsModule } from './previews.module.js';
