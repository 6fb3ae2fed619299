//! What a locator looks for, to know who stands within whom.

use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use lol_html::html_content::EndTag;
use lol_html::send::{Element, Settings};
use lol_html::{HandlerResult, Selector};

use super::kinds::{FORMATTING, MARKERS, is_formatting, is_root};
use super::{Descent, alike, references};
use crate::html::Plan;
use crate::html::lineage::Lineage;
use crate::html::locator::{Found, Shared, fixed, on};

/// Watches who stands within whom, if any mask asks for that.
pub(in crate::html) fn with_handlers<'s>(
    mut settings: Settings<'static, 's>,
    plan: &'s Arc<Plan>,
    shared: &Arc<Shared>,
) -> Settings<'static, 's> {
    let descent = Arc::new(Mutex::new(Descent::of(plan)));
    let masks = plan.masks().iter();
    let lineages: Vec<_> = masks.flat_map(|mask| mask.selector.lineages()).collect();
    for (path, lineage) in lineages.iter().enumerate() {
        for (step, ancestor) in lineage.above.iter().enumerate() {
            let descent = Arc::clone(&descent);
            let meet = move |element: &mut Element<'_, '_>| meet(&descent, path, step, element);
            settings = settings.append_element_content_handler(on(&ancestor.selector, meet));
        }
        let steps = lineage.above.len();
        if steps > 0 {
            let (descent, shared) = (Arc::clone(&descent), Arc::clone(shared));
            let arrive = move |element: &mut Element<'_, '_>| {
                arrive(&descent, &shared, path, steps, element)
            };
            settings =
                settings.append_element_content_handler(on(&lineage.subject.selector, arrive));
        }
    }
    if lineages.iter().any(|lineage| !lineage.above.is_empty()) {
        let descent = Arc::clone(&descent);
        let count = move |_: &mut Element<'_, '_>| {
            locked(&descent).markers += 1;
            Ok(())
        };
        settings = settings.append_element_content_handler(on(&MARKING_ELEMENTS, count));
    }
    if lineages
        .iter()
        .any(|lineage| lineage.above.iter().any(|ancestor| ancestor.may_be("form")))
    {
        settings = with_formatting(settings, &descent);
    }
    for region in lineages
        .iter()
        .filter_map(|lineage| lineage.region.as_ref())
    {
        let descent = Arc::clone(&descent);
        let enter = move |element: &mut Element<'_, '_>| enter(&descent, element);
        settings = settings.append_element_content_handler(on(region, enter));
    }
    if let Some(spelled) = plan.with_references() {
        let (plan_of_page, descent, shared) =
            (Arc::clone(plan), Arc::clone(&descent), Arc::clone(shared));
        let read = move |element: &mut Element<'_, '_>| {
            references::read(&plan_of_page, &descent, &shared, element)
        };
        settings = settings.append_element_content_handler(on(spelled, read));
    }
    // Where ancestors decide, only some of those that are alike are masked.
    let may_differ = |lineage: &&Lineage| {
        let formats = FORMATTING
            .split(", ")
            .any(|name| lineage.subject.may_be(name));
        !lineage.above.is_empty() && formats
    };
    match lineages.iter().any(may_differ) {
        true => with_alike(settings, &descent, shared),
        false => settings,
    }
}

fn with_alike<'s>(
    settings: Settings<'static, 's>,
    descent: &Arc<Mutex<Descent>>,
    shared: &Arc<Shared>,
) -> Settings<'static, 's> {
    let (alike, descent, shared) = (Arc::default(), Arc::clone(descent), Arc::clone(shared));
    let count = move |element: &mut Element<'_, '_>| {
        let descent = Arc::clone(&descent);
        let markers = move || locked(&descent).markers;
        alike::count(&alike, &shared, element, markers)
    };
    settings.append_element_content_handler(on(&FORMATTING_ELEMENTS, count))
}

fn meet(
    descent: &Arc<Mutex<Descent>>,
    path: usize,
    step: usize,
    element: &mut Element<'_, '_>,
) -> HandlerResult {
    let name = element.tag_name();
    let met = locked(descent).meet(path, step, &name, start_of(element))?;
    match met || !is_formatting(&name) {
        true => Ok(()),
        false => stray(descent, path, step, element),
    }
}

/// An element comes by that the mask matches, but for what must stand around it.
fn arrive(
    descent: &Arc<Mutex<Descent>>,
    shared: &Shared,
    path: usize,
    steps: usize,
    element: &mut Element<'_, '_>,
) -> HandlerResult {
    let at = start_of(element);
    let (mask, is_masked) = locked(descent).arrive(path, at);
    let found = Found::Mask(mask);
    if is_masked {
        shared.note_once(at, found);
    }
    if is_formatting(&element.tag_name()) && !shared.has(at, found) {
        return stray(descent, path, steps, element);
    }
    Ok(())
}

fn stray(
    descent: &Arc<Mutex<Descent>>,
    path: usize,
    step: usize,
    element: &mut Element<'_, '_>,
) -> HandlerResult {
    if !element.can_have_content() {
        return Ok(());
    }
    let markers = locked(descent).stray(path, step);
    let (descent, name) = (Arc::clone(descent), element.tag_name());
    element.on_end_tag(Box::new(move |end: &mut EndTag<'_>| {
        let mut descent = locked(&descent);
        if end.name() == name && descent.markers == markers {
            descent.end_stray(path, step);
        }
        Ok(())
    }))
}

fn enter(descent: &Arc<Mutex<Descent>>, element: &mut Element<'_, '_>) -> HandlerResult {
    if !element.can_have_content() {
        return Ok(());
    }
    let (name, at) = (element.tag_name(), start_of(element));
    let root = is_root(&name);
    let id = locked(descent).enter(name, at);
    let descent = Arc::clone(descent);
    match id {
        _ if root => element.on_end_tag(Box::new(move |_: &mut EndTag<'_>| {
            locked(&descent).leave_root();
            Ok(())
        })),
        None => Ok(()),
        Some(id) => element.on_end_tag(Box::new(move |end: &mut EndTag<'_>| {
            locked(&descent).leave(id, &end.name());
            Ok(())
        })),
    }
}

fn with_formatting<'s>(
    settings: Settings<'static, 's>,
    descent: &Arc<Mutex<Descent>>,
) -> Settings<'static, 's> {
    let descent = Arc::clone(descent);
    let count = move |element: &mut Element<'_, '_>| {
        if !element.can_have_content() {
            return Ok(());
        }
        let markers = locked(&descent).open_formatting();
        let (descent, name) = (Arc::clone(&descent), element.tag_name());
        element.on_end_tag(Box::new(move |end: &mut EndTag<'_>| {
            let mut descent = locked(&descent);
            let certainly = end.name() == name && descent.markers == markers;
            descent.formatting.leave(certainly);
            Ok(())
        }))
    };
    settings.append_element_content_handler(on(&FORMATTING_ELEMENTS, count))
}

pub(super) fn start_of(element: &Element<'_, '_>) -> u64 {
    element.source_location().bytes().start as u64
}

pub(super) fn locked(descent: &Mutex<Descent>) -> MutexGuard<'_, Descent> {
    descent.lock().unwrap_or_else(PoisonError::into_inner)
}

static FORMATTING_ELEMENTS: LazyLock<Selector> = LazyLock::new(|| fixed(FORMATTING));
static MARKING_ELEMENTS: LazyLock<Selector> = LazyLock::new(|| fixed(MARKERS));
