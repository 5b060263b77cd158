//! What may stand on top of a message with buttons, beside its title: a file, a place or a product.

use crate::{
    media::{self, File},
    record::Kind,
    wire,
    words::{self, Path},
};

/// Field numbers of these; 0 where a message has no such field.
pub struct Header {
    document: u32,
    image: u32,
    video: u32,
    place: u32,
    product: u32,
}

/// Of a `ButtonsMessage`.
pub const BUTTONS: Header = Header { document: 2, image: 3, video: 4, place: 5, product: 0 };
/// Of a `FourRowTemplate`, hydrated or not.
pub const TEMPLATE: Header = Header { document: 1, image: 3, video: 4, place: 5, product: 0 };
/// Of an `InteractiveMessage.Header`.
pub const INTERACTIVE: Header = Header { document: 3, image: 4, video: 7, place: 8, product: 9 };

const PLACE: &[Path] = &[&[3], &[4]];
const PRODUCT: &[Path] = &[&[1, 3]];

impl Header {
    /// The words of what is on top. Some programs write the caption of a picture below it once more.
    pub fn collect(&self, bytes: &[u8], body: &[u8], found: &mut Vec<String>) {
        for (_, file) in self.files(bytes) {
            let caption = media::read(file).words;
            if caption.as_bytes() != body {
                words::push(&caption, found);
            }
        }
        for (number, paths) in [(self.place, PLACE), (self.product, PRODUCT)] {
            words::collect(media::optional(bytes, number), paths, found);
        }
    }

    /// The file on top, and what it is.
    pub fn file<'a>(&self, bytes: &'a [u8]) -> Option<(Kind, File<'a>)> {
        let product = wire::bytes_of(wire::bytes_of(media::optional(bytes, self.product), 1), 1);
        let of_product = (!product.is_empty()).then_some(File { message: product, layout: &media::IMAGE });
        self.files(bytes).next().or_else(|| of_product.map(|file| (Kind::Image, file)))
    }

    fn files<'a>(&self, bytes: &'a [u8]) -> impl Iterator<Item = (Kind, File<'a>)> {
        let files = [
            (Kind::Document, self.document, &media::DOCUMENT),
            (Kind::Image, self.image, &media::IMAGE),
            (Kind::Video, self.video, &media::VIDEO),
        ];
        let files = files
            .into_iter()
            .map(|(kind, number, layout)| (kind, File { message: media::optional(bytes, number), layout }));
        files.filter(|(_, file)| !file.message.is_empty())
    }
}
