//! Pictures contacts send: product cards drawn here, each a few kilobytes of JPEG.

use jpeg_encoder::{ColorType, Encoder};

/// Width and height of a picture in pixels.
pub const SIZE: (u16, u16) = (640, 480);
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

/// The picture that belongs to this number; there are some hundreds.
#[must_use]
pub fn draw(number: u64) -> Picture {
    Picture { file: encode(number, SIZE, 82), preview: encode(number, PREVIEW, 60) }
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
        let [first, second] = [draw(1), draw(2)];
        for file in [&first.file, &first.preview, &second.file] {
            assert!(file.starts_with(&[0xff, 0xd8, 0xff]) && file.ends_with(&[0xff, 0xd9]));
        }
        assert!(first.file != second.file);
        assert!(first.file.len() < 60_000, "{} bytes", first.file.len());
        assert!(first.preview.len() < 4_000, "{} bytes", first.preview.len());
    }
}
