import { Res } from '@nestjs/common';
import type { Response } from 'express';

import { Route } from '../../../http/dialect/route.js';
import { FileagoController } from '../http/controller.js';

/** What `avatar` of a sign-in names. */
export const AVATAR_PATH = 'images/default_avatar.png';
const A_DAY = 'public, max-age=86400';
/** A head and shoulders, 64 by 64 pixels. */
const PICTURE = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAEAAAABABAMAAABYR2ztAAAAMFBMVEWKlKPV2uGOmKbS197Jz9eVn624v8mTnKqxuMPN0tuqsr2ZorCiq7ihqradprLDydKuJr/DAAAACXBIWXMA' +
    'AAsTAAALEwEAmpwYAAABF0lEQVRIx+3TsUrDUBTG8UNomiIoaGLFQGkEBTfJqkvTuUPaJ9C1UEhfQIqbY7eCi0HwBZzcfYB2cXZzbp+gJWmbc3O/ywG3Sv9rfnCTc0/oWIj2YFeBO+hd' +
    'fYdm4D7RquvQCF4o69MEzpMcOGMDuKN1HwYw2oAaBm6wAVYIQZ22PUDQKMAMgtMCdCE4KcDF34B4hPiS4meKgxJHLV+WeN3iwsgrJy7t//g3vf5vYD2+RyYwifNJ2s8YdIp9+ELgllhv' +
    'OvBiDuxIAwtSuimDZqACa14CbSp1qQI3LgM7VIBPWqkCWjqoKGCqg0MOPAJFDPgIpAycITBkoIVAhYF7BKoMvCJwwMAPAkcMJAg4DAQIWAwQLHu0BIn1gNXCfqVbAAAAAElFTkSuQmCC',
  'base64',
);

@FileagoController('auth')
export class AvatarController {
  @Route('GET', AVATAR_PATH, { auth: 'public', summary: 'The picture of everybody: people have none of their own' })
  picture(@Res() response: Response): void {
    response.setHeader('Content-Type', 'image/png');
    response.setHeader('Content-Length', PICTURE.length);
    response.setHeader('Cache-Control', A_DAY);
    response.end(PICTURE);
  }
}
