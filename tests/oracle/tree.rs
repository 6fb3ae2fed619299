//! A page as a browser reads it: html5ever's tree, laid out flat.

use std::cell::Ref;
use std::fmt::Write;

use encoding_rs::Encoding;
use html5ever::tendril::TendrilSink;
use html5ever::tree_builder::QuirksMode;
use html5ever::{Attribute, ParseOpts, QualName, local_name, ns, parse_document};
use markup5ever_rcdom::{Handle, NodeData, RcDom};

/// All nodes in the order of the document, the contents of templates included.
pub(crate) struct Tree {
    nodes: Vec<Node>,
    quirks: QuirksMode,
}

pub(crate) struct Node {
    handle: Handle,
    parent: Option<usize>,
    depth: usize,
    /// Inside a template, where nothing is shown and nothing runs.
    inert: bool,
}

/// Where an element hangs in its tree.
#[derive(Clone, Copy)]
pub(crate) struct Place<'t> {
    tree: &'t Tree,
    index: usize,
}

impl Tree {
    /// A byte order mark counts more than the charset.
    pub(crate) fn parse(page: &[u8], charset: &'static Encoding, scripting: bool) -> Self {
        let mut options = ParseOpts::default();
        options.tree_builder.scripting_enabled = scripting;
        let (text, _, _) = charset.decode(page);
        let dom = parse_document(RcDom::default(), options).one(text.as_ref());
        Self {
            nodes: flatten(&dom.document),
            quirks: dom.quirks_mode.get(),
        }
    }

    /// The elements that a browser shows or runs.
    pub(crate) fn live_elements(&self) -> impl Iterator<Item = Place<'_>> {
        self.elements()
            .filter(|place| !self.nodes[place.index].inert)
    }

    pub(crate) fn elements(&self) -> impl Iterator<Item = Place<'_>> {
        let is_element = |index: &usize| {
            let node = &self.nodes[*index];
            matches!(node.handle.data, NodeData::Element { .. })
        };
        let found = (0..self.nodes.len()).filter(is_element);
        found.map(|index| Place { tree: self, index })
    }

    /// The tree as text, one node in a line. `line` draws an element, or leaves it out together
    /// with its text by `None`; two texts with a left out element between them are one.
    pub(crate) fn outline(&self, line: impl Fn(Place<'_>) -> Option<String>) -> String {
        let mut outline = format!("{:?}", self.quirks);
        let mut left_out = None;
        let mut text_of = None;
        for (index, node) in self.nodes.iter().enumerate() {
            if left_out.is_some() && node.parent == left_out {
                continue;
            }
            if let NodeData::Text { contents } = &node.handle.data {
                if text_of.replace(node.parent) != Some(node.parent) {
                    let _ = write!(outline, "\n{} text ", node.depth);
                }
                push_in_line(&mut outline, &contents.borrow());
                continue;
            }
            let Some(drawn) = self.draw(index, &line) else {
                left_out = Some(index);
                continue;
            };
            text_of = None;
            let _ = write!(outline, "\n{} {drawn}", node.depth);
        }
        outline
    }

    fn draw(&self, index: usize, line: impl Fn(Place<'_>) -> Option<String>) -> Option<String> {
        Some(match &self.nodes[index].handle.data {
            NodeData::Comment { contents } => format!("comment {contents:?}"),
            NodeData::Doctype {
                name,
                public_id,
                system_id,
            } => format!("doctype {name:?} {public_id:?} {system_id:?}"),
            NodeData::Document => "document".to_owned(),
            NodeData::Element { .. } => return line(Place { tree: self, index }),
            NodeData::ProcessingInstruction { target, contents } => {
                format!("instruction {target:?} {contents:?}")
            }
            NodeData::Text { .. } => String::new(),
        })
    }
}

/// Without recursion: pages may be nested deeper than a stack.
fn flatten(document: &Handle) -> Vec<Node> {
    let mut nodes = Vec::new();
    let mut open = vec![Node {
        handle: document.clone(),
        parent: None,
        depth: 0,
        inert: false,
    }];
    while let Some(node) = open.pop() {
        let parent = Some(nodes.len());
        let below = |handle: &Handle, inert| Node {
            handle: handle.clone(),
            parent,
            depth: node.depth + 1,
            inert,
        };
        let children = node.handle.children.borrow();
        open.extend(children.iter().rev().map(|child| below(child, node.inert)));
        drop(children);
        if let NodeData::Element {
            template_contents, ..
        } = &node.handle.data
            && let Some(contents) = &*template_contents.borrow()
        {
            open.push(below(contents, true));
        }
        nodes.push(node);
    }
    nodes
}

/// Appends a text without the ends of lines in it.
fn push_in_line(line: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '\n' => line.push_str("\\n"),
            '\\' => line.push_str("\\\\"),
            ' '..='~' => line.push(character),
            _ => line.extend(character.escape_default()),
        }
    }
}

impl<'t> Place<'t> {
    pub(crate) fn name(self) -> &'t str {
        &self.qualified_name().local
    }

    pub(crate) fn is_html(self) -> bool {
        self.qualified_name().ns == ns!(html)
    }

    /// An attribute's value; of foreign attributes only those without a prefix.
    pub(crate) fn attribute(self, name: &str) -> Option<String> {
        let attributes = self.attributes();
        let found = attributes.iter().find(|one| &*one.name.local == name)?;
        Some(found.value.to_string())
    }

    pub(crate) fn has_class(self, class: &str) -> bool {
        let classes = self.attribute("class").unwrap_or_default();
        classes
            .split_ascii_whitespace()
            .any(|one| one.eq_ignore_ascii_case(class))
    }

    /// Parent, grandparent and so on, as far as they are elements.
    pub(crate) fn ancestors(self) -> impl Iterator<Item = Self> {
        std::iter::successors(self.parent(), |place| place.parent())
    }

    pub(crate) fn parent(self) -> Option<Self> {
        let index = self.tree.nodes[self.index].parent?;
        let element = matches!(self.tree.nodes[index].handle.data, NodeData::Element { .. });
        element.then_some(Self { index, ..self })
    }

    /// Name and attributes but those for which `hidden` says so.
    pub(crate) fn line(self, hidden: impl Fn(&str) -> bool) -> String {
        let name = self.qualified_name();
        let mut line = String::with_capacity(64);
        line.push_str(match name.ns {
            ns!(html) => "",
            ns!(svg) => "svg:",
            ns!(mathml) => "math:",
            _ => "other:",
        });
        line.push_str(&name.local);
        for attribute in self.attributes().iter() {
            if !hidden(&attribute.name.local) {
                let prefix = attribute.name.prefix.as_deref().unwrap_or_default();
                for part in [" ", prefix, ":", &attribute.name.local, "="] {
                    line.push_str(part);
                }
                push_in_line(&mut line, &attribute.value);
            }
        }
        line
    }

    /// Without an attribute, and without anything in it.
    pub(crate) fn is_bare(self) -> bool {
        let children = self.tree.nodes[self.index].handle.children.borrow();
        children.is_empty() && self.attributes().is_empty()
    }

    pub(crate) fn is_script(self) -> bool {
        self.is_html() && self.qualified_name().local == local_name!("script")
    }

    fn qualified_name(self) -> &'t QualName {
        match &self.tree.nodes[self.index].handle.data {
            NodeData::Element { name, .. } => name,
            other => unreachable!("a place is an element, not {other:?}"),
        }
    }

    fn attributes(self) -> Ref<'t, Vec<Attribute>> {
        match &self.tree.nodes[self.index].handle.data {
            NodeData::Element { attrs, .. } => attrs.borrow(),
            other => unreachable!("a place is an element, not {other:?}"),
        }
    }
}
