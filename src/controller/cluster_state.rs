//! The cached state of the cluster: a store for each kind, and lookups that several kinds share.
//!
//! There is no LIST in steady state: every decision reads from here, and what must be certain is read live before it acts
//! (ARCHITECTURE.md, S4).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use govcloud_api::catalog::ServiceCatalog;
use govcloud_api::region::Region;
use govcloud_api::work_calendar::WorkCalendar;
use govcloud_domain::bilingual::Bilingual;
use govcloud_domain::calendar::Calendar;
use govcloud_domain::plan::Target;
use govcloud_domain::record::Meta;
use govcloud_domain::region_context::{Catalogue, RegionContext, RegionView, StorageClass};
use kube::Resource;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::cache::{CacheUpdate, Change, Object, ReadToken, SharedTexts, Store, TrimmedObject};
use crate::clock::Clock;
use crate::decision::GatherContext;
use crate::index::IndexKey;
use crate::key::Key;
use crate::kinds::Kind;
use crate::utilization::UseStore;

/// A value made of each object of one kind of settings, by name, with the object's version. Every decision reads them.
#[derive(Debug)]
struct Prepared<T>(Mutex<BTreeMap<String, (u64, T)>>);

impl<T> Default for Prepared<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Clone> Prepared<T> {
    /// The value of an object; it is made once for each version.
    fn of(&self, object: &Object, make: impl FnOnce() -> T) -> T {
        let mut prepared = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, made)) = prepared.get(object.name()).filter(|(v, _)| *v == object.version) {
            return made.clone();
        }
        let made = make();
        prepared.insert(object.name().to_owned(), (object.version, made.clone()));
        made
    }
}

/// A Region's catalogue, and the versions of the objects that it was read from.
type Editions = (Vec<u64>, Arc<Catalogue>);

/// The cached state of the cluster.
#[derive(Debug)]
pub struct ClusterState {
    stores: Vec<Store>,
    /// Calendars prepared for counting, or why they cannot be used.
    calendars: Prepared<Result<Arc<Calendar>, Bilingual>>,
    /// Regions that fit their schema.
    regions: Prepared<Option<Arc<Region>>>,
    /// Service catalogues by code of the Region.
    catalogues: Mutex<BTreeMap<String, Editions>>,
    /// Use that was read from Prometheus for assessments (Art. 29).
    pub use_readings: UseStore,
}

impl Default for ClusterState {
    fn default() -> Self {
        let texts = SharedTexts::default();
        let stores = Kind::all().map(|kind| Store::new(kind, texts.clone())).collect();
        Self {
            stores,
            calendars: Prepared::default(),
            regions: Prepared::default(),
            catalogues: Mutex::default(),
            use_readings: UseStore::default(),
        }
    }
}

impl ClusterState {
    /// The store of a kind.
    pub fn store(&self, kind: Kind) -> &Store {
        &self.stores[kind as usize]
    }

    /// One object.
    pub fn get(&self, kind: Kind, namespace: &str, name: &str) -> Option<Arc<Object>> {
        self.store(kind).get(namespace, name)
    }

    /// The object of a key.
    pub fn object(&self, key: &Key) -> Option<Arc<Object>> {
        self.get(key.kind, key.namespace(), key.name())
    }

    /// Identity and typed form of one record; `None` where it does not exist or does not fit its schema.
    pub fn typed<K: Resource + DeserializeOwned>(
        &self,
        kind: Kind,
        namespace: &str,
        name: &str,
    ) -> Option<(Meta, Arc<K>)> {
        self.get(kind, namespace, name)?.typed()
    }

    /// Applies an update of a kind. Returns what changed.
    pub fn apply(&self, kind: Kind, update: CacheUpdate, clock: &Clock) -> Vec<Change> {
        self.store(kind).apply(update, clock)
    }

    /// A request about a target begins, whose answer will be applied. `None` where its kind is not cached.
    pub fn begin_read(&self, target: &Target) -> Option<PendingRead<'_>> {
        let store = self.store(Kind::of(target.resource)?);
        let token = store.begin_read(&target.namespace, &target.name);
        Some(PendingRead { store, target: target.clone(), token })
    }

    /// Returns true once the first list of every kind is complete that is not optional.
    pub fn is_synced(&self) -> bool {
        self.unsynced().next().is_none()
    }

    /// Kinds whose first list is not complete yet. An optional kind is not waited for.
    pub fn unsynced(&self) -> impl Iterator<Item = Kind> {
        Kind::all().filter(|k| !k.spec().watched.is_optional() && !self.store(*k).is_synced())
    }

    /// Keys of the filed records that the operator owes an answer.
    pub fn unanswered(&self) -> Vec<Key> {
        let found = Kind::records().flat_map(|kind| self.store(kind).find(&IndexKey::Unanswered));
        found.map(|record| record.key()).collect()
    }

    /// Keys of all records, Regions first.
    pub fn record_keys(&self) -> impl Iterator<Item = Key> + '_ {
        let (filed, others): (Vec<Kind>, Vec<Kind>) =
            Kind::records().partition(|kind| kind.filed().is_some());
        others
            .into_iter()
            .chain(filed)
            .flat_map(move |kind| self.store(kind).walk())
            .map(|record| record.key())
    }

    /// Code of the Region that a record names; of a Region its own.
    pub fn region_code(&self, record: &Object) -> Option<String> {
        record.kind.spec().record.as_ref().and_then(|r| (r.region)(record))
    }

    /// The spec of a Region as it is stored.
    pub fn region_spec(&self, code: &str) -> Option<Value> {
        Some(self.get(Kind::Region, "", code)?.spec())
    }

    /// A Region with all that it refers to; `None` where it does not exist or does not fit its schema.
    pub fn region(&self, code: &str) -> Option<Arc<RegionView>> {
        let region = self.typed_region(code)?;
        let class = |name: &String| {
            let class = self.get(Kind::StorageClass, "", name)?.value();
            // Kubernetes takes Delete where nothing is said.
            let policy = class["reclaimPolicy"].as_str().unwrap_or("Delete").to_owned();
            Some(StorageClass { name: name.clone(), reclaim_policy: policy })
        };
        Some(Arc::new(RegionView {
            parent: region.spec.parent.as_ref().and_then(|p| self.typed_region(p)),
            calendar: self.calendar(&region.spec.calendar),
            catalogue: self.catalogue(code, &region),
            storage_classes: region.spec.tenancy.storage_classes.iter().filter_map(class).collect(),
            region,
        }))
    }

    /// The service catalogue of a Region. It is read and judged once for each version of the Region and of its editions.
    fn catalogue(&self, code: &str, region: &Region) -> Arc<Catalogue> {
        let names = region.spec.catalog_names();
        let editions: Vec<_> =
            names.map(|name| (name.to_owned(), self.get(Kind::Catalog, "", name))).collect();
        let version = |of: &Option<Arc<Object>>| of.as_ref().map_or(0, |object| object.version);
        let region_version = self.get(Kind::Region, "", code).map_or(0, |object| object.version);
        let versions: Vec<u64> =
            std::iter::once(region_version).chain(editions.iter().map(|(_, of)| version(of))).collect();
        let mut known = self.catalogues.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, catalogue)) = known.get(code).filter(|(of, _)| *of == versions) {
            return catalogue.clone();
        }
        let typed = |object: Arc<Object>| object.read::<ServiceCatalog>().ok().map(|c| Arc::new(c.spec));
        let editions = editions.into_iter().map(|(name, object)| (name, object.and_then(typed))).collect();
        let catalogue = Arc::new(Catalogue::read(&region.spec, editions));
        known.insert(code.to_owned(), (versions, catalogue.clone()));
        catalogue
    }

    /// A Region alone; `None` where it does not exist or does not fit its schema.
    fn typed_region(&self, code: &str) -> Option<Arc<Region>> {
        let object = self.get(Kind::Region, "", code)?;
        self.regions.of(&object, || object.read().ok().map(Arc::new))
    }

    /// The Region that the record of a key names.
    pub fn region_of(&self, key: &Key) -> Option<Arc<RegionView>> {
        self.region(&self.region_code(&*self.object(key)?)?)
    }

    /// A calendar prepared for counting, or why it cannot be used.
    ///
    /// # Errors
    /// Says that it does not exist, or what is wrong with it.
    pub fn calendar(&self, name: &str) -> Result<Arc<Calendar>, Bilingual> {
        let missing = || Bilingual::new("不存在", "it does not exist");
        let object = self.get(Kind::Calendar, "", name).ok_or_else(missing)?;
        self.calendars.of(&object, || {
            let typed = object.read::<WorkCalendar>().map_err(Bilingual::same)?;
            let generation = typed.metadata.generation.unwrap_or_default();
            Calendar::new(name, generation, &typed.spec).map(Arc::new).map_err(|e| e.text())
        })
    }

    /// The Region of a record with the circumstances of its decision.
    pub fn region_context(&self, code: &str, with: &GatherContext) -> RegionContext {
        RegionContext {
            region: self.region(code),
            integrity: with.integrity.clone(),
            seal: with.seal.clone(),
            reads: with.reads,
            trouble: with.failure.clone(),
        }
    }

    /// Records of a kind that are filed on an application.
    pub(crate) fn filed_on(&self, kind: Kind, namespace: &str, application: &str) -> Vec<Arc<Object>> {
        self.store(kind).find(&IndexKey::Application(namespace.to_owned(), application.to_owned()))
    }
}

/// A request under way. Its answer is checked against the cache as it was when the request began.
#[derive(Debug)]
pub struct PendingRead<'a> {
    store: &'a Store,
    target: Target,
    token: ReadToken,
}

impl PendingRead<'_> {
    /// The update of an answered object.
    pub fn answered(&self, object: TrimmedObject) -> CacheUpdate {
        CacheUpdate::Answered(object, self.token)
    }

    /// The update of an answer that no such object exists.
    pub fn missing(&self) -> CacheUpdate {
        CacheUpdate::Missing(self.target.namespace.clone(), self.target.name.clone(), self.token)
    }

    /// The update of an answer that the target of this UID is gone.
    pub fn gone(&self, uid: &str) -> CacheUpdate {
        CacheUpdate::Gone(self.target.namespace.clone(), self.target.name.clone(), uid.to_owned())
    }
}

impl Drop for PendingRead<'_> {
    fn drop(&mut self) {
        self.store.end_read(self.token);
    }
}
