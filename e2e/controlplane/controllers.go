package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand"
	"os"
	"time"

	"github.com/spf13/cobra"
	v1 "k8s.io/api/core/v1"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset"
	apiextensionsscheme "k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset/scheme"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apiserver/pkg/admission/plugin/policy/validating"
	"k8s.io/apiserver/pkg/cel/openapi/resolver"
	"k8s.io/apiserver/pkg/quota/v1/generic"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	v1core "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	certutil "k8s.io/client-go/util/cert"
	"k8s.io/client-go/util/keyutil"
	"k8s.io/component-base/cli/globalflag"
	"k8s.io/component-base/logs"
	logsapi "k8s.io/component-base/logs/api/v1"
	metricsfeatures "k8s.io/component-base/metrics/features"
	"k8s.io/component-base/version/verflag"
	"k8s.io/controller-manager/pkg/clientbuilder"
	"k8s.io/controller-manager/pkg/informerfactory"
	csitrans "k8s.io/csi-translation-lib"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/cmd/kube-controller-manager/app/config"
	"k8s.io/kubernetes/cmd/kube-controller-manager/app/options"
	"k8s.io/kubernetes/cmd/kube-controller-manager/names"
	pkgcontroller "k8s.io/kubernetes/pkg/controller"
	"k8s.io/kubernetes/pkg/controller/certificates/rootcacertpublisher"
	"k8s.io/kubernetes/pkg/controller/clusterroleaggregation"
	"k8s.io/kubernetes/pkg/controller/garbagecollector"
	"k8s.io/kubernetes/pkg/controller/namespace"
	"k8s.io/kubernetes/pkg/controller/resourcequota"
	sacontroller "k8s.io/kubernetes/pkg/controller/serviceaccount"
	"k8s.io/kubernetes/pkg/controller/storageversionmigrator"
	"k8s.io/kubernetes/pkg/controller/validatingadmissionpolicystatus"
	"k8s.io/kubernetes/pkg/controller/volume/expand"
	"k8s.io/kubernetes/pkg/controller/volume/persistentvolume"
	"k8s.io/kubernetes/pkg/controller/volume/pvcprotection"
	"k8s.io/kubernetes/pkg/controller/volume/pvprotection"
	"k8s.io/kubernetes/pkg/generated/openapi"
	quotainstall "k8s.io/kubernetes/pkg/quota/v1/install"
	"k8s.io/kubernetes/pkg/serviceaccount"
	"k8s.io/kubernetes/pkg/volume"
	"k8s.io/kubernetes/pkg/volume/csimigration"
	"k8s.io/kubernetes/pkg/volume/hostpath"
)

// kube-controller-manager with the controllers that the harness starts and no others. The whole program also compiles
// the scheduler, cadvisor and most of the kubelet. Flags, configuration, controllers and their identities are those of
// Kubernetes; what is written here is how cmd/kube-controller-manager/app puts them together. Left out are leader
// election and the HTTP server, which the harness turns off, and volume plugins other than hostPath.

// A start returns a controller's loop.
type start func(ctx context.Context, m *manager) (func(context.Context), error)

var controllers = map[string]start{
	names.ServiceAccountTokenController:             serviceAccountTokens,
	names.NamespaceController:                       namespaces,
	names.ServiceAccountController:                  serviceAccounts,
	names.RootCACertificatePublisherController:      rootCertificates,
	names.GarbageCollectorController:                garbage,
	names.ResourceQuotaController:                   quotas,
	names.ClusterRoleAggregationController:          clusterRoles,
	names.ValidatingAdmissionPolicyStatusController: policyStatus,
	names.PersistentVolumeBinderController:          volumes,
	names.PersistentVolumeExpanderController:        volumeExpansion,
	names.PersistentVolumeProtectionController:      volumeProtection,
	names.PersistentVolumeClaimProtectionController: claimProtection,
	names.StorageVersionMigratorController:          storageVersions,
}

// A manager is what the controllers share.
type manager struct {
	*config.Config
	root    clientbuilder.ControllerClientBuilder
	clients clientbuilder.ControllerClientBuilder
	mapper  *restmapper.DeferredDiscoveryRESTMapper
	meta    metadata.Interface
	started chan struct{}
	graph   *garbagecollector.GraphBuilder

	informers informers.SharedInformerFactory
	generic   informerfactory.InformerFactory
}

func newControllerManagerCommand() *cobra.Command {
	// The API server's package adds the gates for logs.
	utilruntime.Must(metricsfeatures.AddFeatureGates(utilfeature.DefaultMutableFeatureGate))
	o, err := options.NewKubeControllerManagerOptions()
	utilruntime.Must(err)
	var known []string
	for name := range controllers {
		known = append(known, name)
	}
	command := &cobra.Command{
		Use:  "kube-controller-manager",
		Long: "Those controllers of Kubernetes that namespaces, service accounts, quotas, volumes, policies and storage migrations need.",
		Args: cobra.NoArgs,
		PersistentPreRunE: func(*cobra.Command, []string) error {
			rest.SetDefaultWarningHandler(rest.NoWarnings{})
			return o.ComponentGlobalsRegistry.Set()
		},
		RunE: func(*cobra.Command, []string) error {
			verflag.PrintAndExitIfRequested()
			if err := logsapi.ValidateAndApply(o.Logs, utilfeature.DefaultFeatureGate); err != nil {
				return err
			}
			ctx := context.Background()
			c, err := o.Config(ctx, known, nil, nil)
			if err != nil {
				return err
			}
			if c.SecureServing != nil || c.ComponentConfig.Generic.LeaderElection.LeaderElect {
				return errors.New("this build neither serves HTTP nor elects a leader: --secure-port=0 --leader-elect=false")
			}
			return run(ctx, c)
		},
	}
	sets := o.Flags(known, nil, nil)
	verflag.AddFlags(sets.FlagSet("global"))
	globalflag.AddGlobalFlags(sets.FlagSet("global"), command.Name(), logs.SkipLoggingConfigurationFlags())
	for _, set := range sets.FlagSets {
		command.Flags().AddFlagSet(set)
	}
	return command
}

func run(ctx context.Context, c *config.Config) error {
	c.EventBroadcaster.StartStructuredLogging(0)
	c.EventBroadcaster.StartRecordingToSink(&v1core.EventSinkImpl{Interface: c.Client.CoreV1().Events("")})
	defer c.EventBroadcaster.Shutdown()
	m, err := newManager(ctx, c)
	if err != nil {
		return err
	}
	var loops []func(context.Context)
	for name, start := range controllers {
		if !enabled(c, name) {
			continue
		}
		loop, err := start(klog.NewContext(ctx, klog.LoggerWithName(klog.FromContext(ctx), name)), m)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		loops = append(loops, loop)
	}
	m.informers.Start(ctx.Done())
	m.generic.Start(ctx.Done())
	close(m.started)
	for _, loop := range loops {
		go loop(ctx)
	}
	<-ctx.Done()
	return nil
}

func newManager(ctx context.Context, c *config.Config) (*manager, error) {
	root := clientbuilder.SimpleControllerClientBuilder{ClientConfig: c.Kubeconfig}
	m := &manager{Config: c, root: root, clients: root, started: make(chan struct{})}
	if c.ComponentConfig.KubeCloudShared.UseServiceAccountCredentials {
		anonymous := rest.AnonymousClientConfig(c.Kubeconfig)
		m.clients = clientbuilder.NewDynamicClientBuilder(anonymous, c.Client.CoreV1(), metav1.NamespaceSystem)
	}
	trim := func(o any) (any, error) {
		if accessor, err := meta.Accessor(o); err == nil {
			accessor.SetManagedFields(nil)
		}
		return o, nil
	}
	client, err := root.Client("shared-informers")
	if err != nil {
		return nil, err
	}
	m.informers = informers.NewSharedInformerFactoryWithOptions(client, m.resync(), informers.WithTransform(trim))
	metadataConfig, err := root.Config("metadata-informers")
	if err != nil {
		return nil, err
	}
	if m.meta, err = metadata.NewForConfig(metadataConfig); err != nil {
		return nil, err
	}
	byMetadata := metadatainformer.NewSharedInformerFactoryWithOptions(m.meta, m.resync(), metadatainformer.WithTransform(trim))
	m.generic = informerfactory.NewInformerFactory(m.informers, byMetadata)
	discovery, err := root.DiscoveryClient("controller-discovery")
	if err != nil {
		return nil, err
	}
	m.mapper = restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(discovery))
	go wait.Until(m.mapper.Reset, 30*time.Second, ctx.Done())
	ignored := make(map[schema.GroupResource]struct{})
	for _, r := range c.ComponentConfig.GarbageCollectorController.GCIgnoredResources {
		ignored[schema.GroupResource{Group: r.Group, Resource: r.Resource}] = struct{}{}
	}
	m.graph = garbagecollector.NewDependencyGraphBuilder(ctx, m.meta, m.mapper, ignored, m.generic, m.started)
	return m, nil
}

// As --controllers says: by name, or all of them by `*`; with a minus, not.
func enabled(c *config.Config, name string) bool {
	all := false
	for _, word := range c.ComponentConfig.Generic.Controllers {
		switch word {
		case name:
			return true
		case "-" + name:
			return false
		case "*":
			all = true
		}
	}
	return all
}

func (m *manager) resync() time.Duration {
	return time.Duration(float64(m.ComponentConfig.Generic.MinResyncPeriod.Nanoseconds()) * (rand.Float64() + 1))
}

func (m *manager) rootCertificate() ([]byte, error) {
	pem, err := os.ReadFile(m.ComponentConfig.SAController.RootCAFile)
	if err == nil {
		_, err = certutil.ParseCertsPEM(pem)
	}
	return pem, err
}

func (m *manager) volumePlugins() []volume.VolumePlugin {
	c := m.ComponentConfig.PersistentVolumeBinderController.VolumeConfiguration
	return hostpath.ProbeVolumePlugins(volume.VolumeConfig{
		RecyclerMinimumTimeout:   int(c.PersistentVolumeRecyclerConfiguration.MinimumTimeoutHostPath),
		RecyclerTimeoutIncrement: int(c.PersistentVolumeRecyclerConfiguration.IncrementTimeoutHostPath),
		RecyclerPodTemplate:      volume.NewPersistentVolumeRecyclerPodTemplate(),
		ProvisioningEnabled:      c.EnableHostPathProvisioning,
	})
}

func serviceAccountTokens(ctx context.Context, m *manager) (func(context.Context), error) {
	key, err := keyutil.PrivateKeyFromFile(m.ComponentConfig.SAController.ServiceAccountKeyFile)
	if err != nil {
		return nil, err
	}
	pem, err := m.rootCertificate()
	if err != nil {
		return nil, err
	}
	generator, err := serviceaccount.JWTTokenGenerator(serviceaccount.LegacyIssuer, key)
	if err != nil {
		return nil, err
	}
	controller, err := sacontroller.NewTokensController(
		klog.FromContext(ctx),
		m.informers.Core().V1().ServiceAccounts(),
		m.informers.Core().V1().Secrets(),
		m.root.ClientOrDie("tokens-controller"),
		sacontroller.TokensControllerOptions{TokenGenerator: generator, RootCA: pem},
	)
	return func(ctx context.Context) {
		controller.Run(ctx, int(m.ComponentConfig.SAController.ConcurrentSATokenSyncs))
	}, err
}

func namespaces(ctx context.Context, m *manager) (func(context.Context), error) {
	config, err := m.clients.Config("namespace-controller")
	if err != nil {
		return nil, err
	}
	config.QPS *= 20
	config.Burst *= 100
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	byMetadata, err := metadata.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	settings := m.ComponentConfig.NamespaceController
	controller := namespace.NewNamespaceController(
		ctx,
		client,
		byMetadata,
		client.Discovery().ServerPreferredNamespacedResources,
		m.informers.Core().V1().Namespaces(),
		settings.NamespaceSyncPeriod.Duration,
		v1.FinalizerKubernetes,
	)
	return func(ctx context.Context) { controller.Run(ctx, int(settings.ConcurrentNamespaceSyncs)) }, nil
}

func serviceAccounts(ctx context.Context, m *manager) (func(context.Context), error) {
	controller, err := sacontroller.NewServiceAccountsController(
		klog.FromContext(ctx),
		m.informers.Core().V1().ServiceAccounts(),
		m.informers.Core().V1().Namespaces(),
		m.clients.ClientOrDie("service-account-controller"),
		sacontroller.DefaultServiceAccountsControllerOptions(),
	)
	return func(ctx context.Context) { controller.Run(ctx, 1) }, err
}

func rootCertificates(_ context.Context, m *manager) (func(context.Context), error) {
	pem, err := m.rootCertificate()
	if err != nil {
		return nil, err
	}
	controller, err := rootcacertpublisher.NewPublisher(
		m.informers.Core().V1().ConfigMaps(),
		m.informers.Core().V1().Namespaces(),
		m.clients.ClientOrDie("root-ca-cert-publisher"),
		pem,
	)
	return func(ctx context.Context) { controller.Run(ctx, 1) }, err
}

func garbage(ctx context.Context, m *manager) (func(context.Context), error) {
	const name, period = "generic-garbage-collector", 30 * time.Second
	settings := m.ComponentConfig.GarbageCollectorController
	config, err := m.clients.Config(name)
	if err != nil {
		return nil, err
	}
	// Each deletion takes two requests.
	config.QPS *= 2
	byMetadata, err := metadata.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	controller, err := garbagecollector.NewComposedGarbageCollector(
		ctx, m.clients.ClientOrDie(name), byMetadata, m.mapper, m.graph)
	return func(ctx context.Context) {
		go controller.Sync(ctx, m.clients.DiscoveryClientOrDie(name), period)
		controller.Run(ctx, int(settings.ConcurrentGCSyncs), period)
	}, err
}

func quotas(ctx context.Context, m *manager) (func(context.Context), error) {
	const name = "resourcequota-controller"
	discover := m.clients.DiscoveryClientOrDie(name).ServerPreferredNamespacedResources
	configuration, err := quotainstall.NewQuotaConfigurationForControllers(
		generic.ListerFuncForResourceFunc(m.informers.ForResource), m.informers)
	if err != nil {
		return nil, err
	}
	settings := m.ComponentConfig.ResourceQuotaController
	controller, err := resourcequota.NewController(ctx, &resourcequota.ControllerOptions{
		QuotaClient:               m.clients.ClientOrDie(name).CoreV1(),
		ResourceQuotaInformer:     m.informers.Core().V1().ResourceQuotas(),
		ResyncPeriod:              pkgcontroller.StaticResyncPeriodFunc(settings.ResourceQuotaSyncPeriod.Duration),
		InformerFactory:           m.generic,
		ReplenishmentResyncPeriod: m.resync,
		DiscoveryFunc:             discover,
		IgnoredResourcesFunc:      configuration.IgnoredResources,
		InformersStarted:          m.started,
		Registry:                  generic.NewRegistry(configuration.Evaluators()),
		UpdateFilter:              quotainstall.DefaultUpdateFilter(),
	})
	return func(ctx context.Context) {
		go controller.Sync(ctx, discover, 30*time.Second)
		controller.Run(ctx, int(settings.ConcurrentResourceQuotaSyncs))
	}, err
}

func clusterRoles(_ context.Context, m *manager) (func(context.Context), error) {
	client := m.clients.ClientOrDie("clusterrole-aggregation-controller")
	controller := clusterroleaggregation.NewClusterRoleAggregation(m.informers.Rbac().V1().ClusterRoles(), client.RbacV1())
	return func(ctx context.Context) { controller.Run(ctx, 5) }, nil
}

func policyStatus(_ context.Context, m *manager) (func(context.Context), error) {
	const name = names.ValidatingAdmissionPolicyStatusController
	definitions := resolver.NewDefinitionsSchemaResolver(
		openapi.GetOpenAPIDefinitions, scheme.Scheme, apiextensionsscheme.Scheme)
	discovered := &resolver.ClientDiscoveryResolver{Discovery: m.clients.DiscoveryClientOrDie(name)}
	checker := &validating.TypeChecker{SchemaResolver: definitions.Combine(discovered), RestMapper: m.mapper}
	controller, err := validatingadmissionpolicystatus.NewController(
		m.informers.Admissionregistration().V1().ValidatingAdmissionPolicies(),
		m.clients.ClientOrDie(name).AdmissionregistrationV1().ValidatingAdmissionPolicies(),
		checker,
	)
	syncs := m.ComponentConfig.ValidatingAdmissionPolicyStatusController.ConcurrentPolicySyncs
	return func(ctx context.Context) { controller.Run(ctx, int(syncs)) }, err
}

func volumes(ctx context.Context, m *manager) (func(context.Context), error) {
	settings := m.ComponentConfig.PersistentVolumeBinderController
	controller, err := persistentvolume.NewController(ctx, persistentvolume.ControllerParameters{
		KubeClient:                m.clients.ClientOrDie("persistent-volume-binder"),
		SyncPeriod:                settings.PVClaimBinderSyncPeriod.Duration,
		VolumePlugins:             m.volumePlugins(),
		VolumeInformer:            m.informers.Core().V1().PersistentVolumes(),
		ClaimInformer:             m.informers.Core().V1().PersistentVolumeClaims(),
		ClassInformer:             m.informers.Storage().V1().StorageClasses(),
		PodInformer:               m.informers.Core().V1().Pods(),
		NodeInformer:              m.informers.Core().V1().Nodes(),
		EnableDynamicProvisioning: settings.VolumeConfiguration.EnableDynamicProvisioning,
	})
	if err != nil {
		return nil, err
	}
	return controller.Run, nil
}

func volumeExpansion(ctx context.Context, m *manager) (func(context.Context), error) {
	// None of the plugins that Kubernetes brings expands volumes itself.
	translator := csitrans.New()
	controller, err := expand.NewExpandController(
		ctx,
		m.clients.ClientOrDie("expand-controller"),
		m.informers.Core().V1().PersistentVolumeClaims(),
		nil,
		translator,
		csimigration.NewPluginManager(translator),
	)
	if err != nil {
		return nil, err
	}
	return controller.Run, nil
}

func volumeProtection(ctx context.Context, m *manager) (func(context.Context), error) {
	controller, err := pvprotection.NewPVProtectionController(
		klog.FromContext(ctx), m.informers.Core().V1().PersistentVolumes(), m.clients.ClientOrDie("pv-protection-controller"))
	return func(ctx context.Context) { controller.Run(ctx, 1) }, err
}

func claimProtection(ctx context.Context, m *manager) (func(context.Context), error) {
	controller, err := pvcprotection.NewPVCProtectionController(
		klog.FromContext(ctx),
		m.informers.Core().V1().PersistentVolumeClaims(),
		m.informers.Core().V1().Pods(),
		m.clients.ClientOrDie("pvc-protection-controller"),
	)
	return func(ctx context.Context) { controller.Run(ctx, 1) }, err
}

// It goes over the garbage collector's objects.
func storageVersions(ctx context.Context, m *manager) (func(context.Context), error) {
	const name = names.StorageVersionMigratorController
	config, err := m.clients.Config(name)
	if err != nil {
		return nil, err
	}
	config.QPS *= 20
	config.Burst *= 100
	objects, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	byMetadata, err := metadata.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	definitions, err := apiextensions.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	client := m.clients.ClientOrDie(name)
	migrations := m.informers.Storagemigration().V1().StorageVersionMigrations()
	migrator := storageversionmigrator.NewSVMController(ctx, client, objects, migrations, name, m.mapper, m.graph)
	versions := storageversionmigrator.NewResourceVersionController(
		ctx, client, m.clients.DiscoveryClientOrDie(name), byMetadata, migrations, m.mapper)
	runner := storageversionmigrator.NewCustomResourceController(
		ctx, client, migrations, definitions.ApiextensionsV1().CustomResourceDefinitions())
	return func(ctx context.Context) {
		go versions.Run(ctx)
		go runner.Run(ctx)
		migrator.Run(ctx)
	}, nil
}
