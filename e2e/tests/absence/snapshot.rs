//! etcd is restored from an older state: records, namespaces and volumes are those of then, with their UIDs.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use anyhow::{Context as _, Result, ensure};
use e2e::cluster::Cluster;
use e2e::fixtures::{Department, Kind};
use e2e::operator::{Operator, Options};
use e2e::suite::Context;
use kube::ResourceExt;
use kube::api::DynamicObject;

use super::fixture::{Fixture, start};

/// Content of the volume that is claimed after the snapshot.
const LATE: &str = "写于快照之后";

/// Copies a directory with all that is in it.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?
        } else {
            let _bytes = fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

pub async fn etcd_restore_destroys_nothing(_: Context) -> Result<()> {
    let (cluster, department, mut fixture) = start().await?;
    // Without a lease: one that is lost while etcd is away would end the operator that is to run on.
    let env = vec![("GOVCLOUD_NO_LEADER_ELECTION".into(), "true".into())];
    let options = Options { env, ..Options::default() };
    *cluster.operator.lock().await = None;
    *cluster.operator.lock().await = Some(Operator::start(&cluster.plane, options).await?);
    let (namespace, region) = (department.namespace.clone(), department.region.clone());
    drop(department);
    let mut cluster = Arc::into_inner(cluster).context("nobody else holds the cluster")?;
    let data = cluster.plane.etcd_data();
    let snapshot = tempfile::tempdir()?;

    // The older state: that of a stopped etcd.
    cluster.plane.halt()?;
    copy(&data, snapshot.path())?;
    cluster.plane.resume().await?;
    let cluster = Arc::new(cluster);
    let department = Department::at(&cluster, &namespace, &region);
    let before = department.get(Kind::Application, "travel").await?;
    restart_operator(&cluster).await?;
    let late = life_goes_on(&department, &fixture).await?;
    drop(department);
    let mut cluster = Arc::into_inner(cluster).context("nobody else holds the cluster")?;

    // Restored beneath an operator that runs on and remembers what is no more.
    cluster.plane.halt()?;
    fs::remove_dir_all(&data)?;
    copy(snapshot.path(), &data)?;
    cluster.plane.resume().await?;
    cluster.operator.get_mut().as_mut().context("no operator")?.check()?;
    let cluster = Arc::new(cluster);
    let department = Department::at(&cluster, &namespace, &region);
    let restored = department.get(Kind::Application, "travel").await?;
    ensure!(
        restored.uid() == before.uid() && restored.data["status"]["phase"] == "Provisioned",
        "{restored:?}"
    );
    fixture
        .assert_intact(
            &cluster,
            "what came after an older etcd snapshot",
            "the operator runs on, and does nothing",
        )
        .await?;
    restart_operator(&cluster).await?;
    assert_goes_live_again(&department, &mut fixture, &before, &late).await?;
    // The record goes on to its end by itself: what was not consented to now is not destroyed.
    fixture.exit(&department).await?;
    ensure!(late.join("record").exists(), "a volume outside the inventory was destroyed");
    fixture.print();
    Ok(())
}

/// Live, one more volume, an exit that is consented to. Returns the volume's directory.
async fn life_goes_on(department: &Department, fixture: &Fixture) -> Result<PathBuf> {
    department.go_live("travel").await?;
    let late = department.fill(&fixture.tenant, "late", LATE).await?;
    let disposition = serde_json::json!({"default": "Destroy"});
    department.file(&department.exit("travel-exit", "travel", disposition)?).await?;
    department.consent("travel-exit").await?;
    e2e::volumes::directory(&late)
}

/// The restored record goes live again with its namespaces; what the snapshot does not know of stands too.
async fn assert_goes_live_again(
    department: &Department,
    fixture: &mut Fixture,
    before: &DynamicObject,
    late: &Path,
) -> Result<()> {
    department.go_live("travel").await?;
    let live = department.get(Kind::Application, "travel").await?;
    ensure!(
        live.uid() == before.uid()
            && live.data["status"]["namespaces"] == before.data["status"]["namespaces"]
    );
    let exits = department.api(department.applicant, Kind::Exit).await?.list(&Default::default()).await?;
    ensure!(exits.items.is_empty(), "an exit that was never filed: {exits:?}");
    let read = fs::read_to_string(late.join("record"))?;
    ensure!(read == LATE, "what the snapshot does not know of was destroyed: {read:?}");
    fixture
        .assert_intact(
            department.cluster(),
            "the same, the operator restarted",
            "the same UID goes live again; later bytes stand too",
        )
        .await
}

/// Ends the operator and starts it again, with an empty memory.
async fn restart_operator(cluster: &Cluster) -> Result<()> {
    let mut operator = cluster.operator.lock().await;
    let operator = operator.as_mut().context("no operator")?;
    operator.stop()?;
    operator.restart().await
}
