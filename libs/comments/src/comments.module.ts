import { Module } from '@nestjs/common';

import { AccessModule } from '#libs/access';
import { AccountsModule } from '#libs/accounts';
import { DatabaseModule } from '#libs/database';
import { Clock, SystemClock } from '#libs/kernel';
import { LimiterModule } from '#libs/limiter';
import { MailModule } from '#libs/mail';
import { NodesModule } from '#libs/nodes';

import { CommentNotifier } from './comment-notifier.js';
import { CommentService } from './comment.service.js';
import { CommentRepository } from './repositories/comment.repository.js';

/** Comments and tasks on files. */
@Module({
  imports: [DatabaseModule, NodesModule, AccessModule, AccountsModule, MailModule, LimiterModule],
  providers: [{ provide: Clock, useClass: SystemClock }, CommentRepository, CommentNotifier, CommentService],
  exports: [CommentService],
})
export class CommentsModule {}
