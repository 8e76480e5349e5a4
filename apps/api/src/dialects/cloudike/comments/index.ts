import { CommentsModule } from '#libs/comments';

import { CommentsController } from './comments.controller.js';

/** Controllers of the comment routes, and what they need. */
export const COMMENT_CONTROLLERS = [CommentsController];
export const COMMENT_MODULES = [CommentsModule];
