//! Pictures contacts send: product cards drawn here, each a few kilobytes of JPEG.

use std::io;

use jpeg_encoder::{ColorType, Encoder};
use wafast_protocol::media;
use wafast_schema::e2e::{self, ImageMessage};

use crate::{
    address::Phone,
    message_out::{Chat, Letter},
    tls::MEDIA_HOST,
    world::{self, World},
};

/// Width and height of a picture in pixels.
const SIZE: (u16, u16) = (640, 480);
/// Width and height of the preview inside a message.
const PREVIEW: (u16, u16) = (72, 54);

/// A picture and its preview, both JPEG.
pub struct Picture {
    pub file: Vec<u8>,
    pub preview: Vec<u8>,
}

type Colour = [f32; 3];

/// Background from, background to, and the product.
const SCHEMES: [[Colour; 3]; 8] = [
    [[0.98, 0.86, 0.72], [0.93, 0.58, 0.45], [0.45, 0.16, 0.14]],
    [[0.80, 0.93, 0.90], [0.35, 0.67, 0.62], [0.05, 0.29, 0.30]],
    [[0.90, 0.88, 0.98], [0.56, 0.50, 0.83], [0.22, 0.17, 0.46]],
    [[1.00, 0.95, 0.75], [0.96, 0.77, 0.25], [0.50, 0.33, 0.05]],
    [[0.86, 0.94, 0.80], [0.49, 0.71, 0.38], [0.16, 0.36, 0.15]],
    [[0.99, 0.85, 0.90], [0.91, 0.48, 0.62], [0.48, 0.10, 0.27]],
    [[0.83, 0.91, 0.98], [0.37, 0.60, 0.86], [0.10, 0.24, 0.48]],
    [[0.93, 0.91, 0.88], [0.66, 0.61, 0.56], [0.25, 0.22, 0.20]],
];

impl Picture {
    /// The picture that belongs to this number. Some hundreds look different, but no two files are the same, as in life.
    #[must_use]
    pub fn draw(number: u64) -> Self {
        Self { file: encode(number, SIZE, 82), preview: encode(number, PREVIEW, 60) }
    }

    /// A letter with this picture, whose file is uploaded; and the file's SHA-256 in hex.
    ///
    /// # Errors
    /// The disk is full.
    pub fn letter(
        &self,
        world: &World,
        sender: Phone,
        chat: Chat,
        caption: Option<String>,
    ) -> io::Result<(Letter, String)> {
        let sealed = media::seal(&self.file, media::Kind::Image);
        let path = world.media.put(&sealed.blob)?;
        let image = ImageMessage {
            url: Some(format!("https://{MEDIA_HOST}{path}")),
            direct_path: Some(path),
            mimetype: Some("image/jpeg".to_owned()),
            caption,
            file_sha256: Some(sealed.sha256.to_vec()),
            file_enc_sha256: Some(sealed.enc_sha256.to_vec()),
            file_length: Some(self.file.len() as u64),
            media_key: Some(sealed.media_key.to_vec()),
            media_key_timestamp: Some(world::now() as i64),
            width: Some(u32::from(SIZE.0)),
            height: Some(u32::from(SIZE.1)),
            jpeg_thumbnail: Some(self.preview.clone()),
            ..Default::default()
        };
        let message = e2e::Message { image_message: Some(Box::new(image)), ..Default::default() };
        let hash = sealed.sha256.iter().map(|byte| format!("{byte:02x}")).collect();
        let letter = Letter { media: Some("image"), ..Letter::new(sender, chat, world.message_id(), &message) };
        Ok((letter, hash))
    }
}

fn encode(number: u64, (width, height): (u16, u16), quality: u8) -> Vec<u8> {
    let mut pixels = Vec::with_capacity(usize::from(width) * usize::from(height) * 3);
    for y in 0..height {
        for x in 0..width {
            let colour = paint(number, f32::from(x) / f32::from(width), f32::from(y) / f32::from(height));
            pixels.extend(colour.map(|part| (part.clamp(0.0, 1.0) * 255.0) as u8));
        }
    }
    let mut file = Vec::new();
    // the buffer has exactly the size the header says, which is all that can go wrong
    let _ = Encoder::new(&mut file, quality).encode(&pixels, width, height, ColorType::Rgb);
    // A comment behind the start of the image: its marker, its length with these two bytes, and the number.
    let mut comment = vec![0xff, 0xfe, 0, 10];
    comment.extend(number.to_be_bytes());
    file.splice(2..2, comment);
    file
}

/// The colour at (x, y), both from 0 to 1: a gradient, a shelf, a product with its shadow and label.
fn paint(number: u64, x: f32, y: f32) -> Colour {
    let [light, dark, product] = SCHEMES[(number % SCHEMES.len() as u64) as usize];
    let shape = number / SCHEMES.len() as u64 % 4;
    let slant = (number / 32 % 5) as f32 * 0.1;
    let mut colour = mix(light, dark, (y + (x - 0.5) * slant).clamp(0.0, 1.0));
    if y > 0.78 {
        colour = mix(colour, [1.0; 3], 0.35);
    }
    let shadow = ((x - 0.5) / 0.28).powi(2) + ((y - 0.80) / 0.05).powi(2);
    if shadow < 1.0 {
        colour = mix(colour, [0.0; 3], 0.35 * (1.0 - shadow));
    }
    if is_inside(shape, x, y) {
        let gloss = ((x - 0.40) / 0.05).powi(2);
        colour = mix(product, [1.0; 3], 0.35 * (-gloss).exp());
        if (0.52..0.66).contains(&y) {
            colour = mix(light, [1.0; 3], 0.5);
            if (0.56..0.575).contains(&y) || (0.60..0.61).contains(&y) && x < 0.54 {
                colour = product;
            }
        }
    }
    colour
}

/// A bottle, a box, a jar or a bag, standing at (0.5, 0.8).
fn is_inside(shape: u64, x: f32, y: f32) -> bool {
    let (dx, from) = ((x - 0.5).abs(), |top: f32| (top..0.8).contains(&y));
    match shape {
        0 => {
            let width = if y < 0.24 { 0.035 } else { 0.11 * ((y - 0.16) / 0.22).clamp(0.32, 1.0) };
            from(0.12) && dx < width
        }
        1 => from(0.32) && dx < 0.17,
        2 => from(0.30) && dx < if y < 0.37 { 0.12 } else { 0.14 },
        _ => {
            let handle = ((x - 0.5) / 0.08).powi(2) + ((y - 0.36) / 0.14).powi(2);
            from(0.36) && dx < 0.12 + 0.06 * y || y < 0.37 && (0.7..1.0).contains(&handle)
        }
    }
}

fn mix(from: Colour, to: Colour, share: f32) -> Colour {
    std::array::from_fn(|n| from[n] + (to[n] - from[n]) * share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_small_different_jpegs() {
        let [first, second] = [Picture::draw(1), Picture::draw(2)];
        for file in [&first.file, &first.preview, &second.file] {
            assert!(file.starts_with(&[0xff, 0xd8, 0xff]) && file.ends_with(&[0xff, 0xd9]));
        }
        assert!(first.file != second.file);
        assert!(first.file.len() < 60_000, "{} bytes", first.file.len());
        assert!(first.preview.len() < 4_000, "{} bytes", first.preview.len());
    }
}
