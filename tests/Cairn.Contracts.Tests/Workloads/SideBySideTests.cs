using Cairn.Contracts.Units;
using Cairn.Contracts.Workloads;

namespace Cairn.Contracts.Tests.Workloads;

/// <summary>Four workloads, each as a SkyPilot task and as a dstack configuration: what both files say, both mean.</summary>
public sealed class SideBySideTests
{
    private const string SkyTraining = """
        name: tune
        resources:
          accelerators: {H100:1, A100-80GB:1}
          cpus: 8+
          memory: 64+
          disk_size: 256
          max_hourly_cost: 4.0
          autostop: {idle_minutes: 15, down: true}
        envs: {BASE_MODEL: Qwen/Qwen2.5-0.5B}
        secrets: {HF_TOKEN: null}
        workdir: .
        file_mounts: {/corpus: s3://a-corpus}
        setup: pip install trl
        run: |
          trl sft --model_name_or_path $BASE_MODEL --num_processes $SKYPILOT_NUM_GPUS_PER_NODE
        """;

    private const string DstackTraining = """
        type: task
        name: tune
        python: 3.12
        resources:
          gpu: H100,A100:80GB:1
          cpu: 8..
          memory: 64GB..
          disk: 256GB..
          shm_size: 16GB
        max_price: 4.0
        max_duration: 8h
        idle_duration: 15m
        env: [HF_TOKEN, BASE_MODEL=Qwen/Qwen2.5-0.5B]
        files: [".:code"]
        volumes: ["a-volume:/corpus"]
        commands:
          - uv pip install trl
          - trl sft --model_name_or_path $BASE_MODEL --num_processes $DSTACK_GPUS_PER_NODE
        """;

    private const string SkyDistributed = """
        name: pair
        num_nodes: 2
        resources:
          accelerators: H100:8
          network_tier: best
          any_of:
            - infra: aws/us-east-1
            - infra: k8s/a-context
        run: |
          torchrun --nnodes=$SKYPILOT_NUM_NODES --node_rank=$SKYPILOT_NODE_RANK \
            --nproc_per_node=$SKYPILOT_NUM_GPUS_PER_NODE \
            --master_addr=$(echo "$SKYPILOT_NODE_IPS" | head -n1) --master_port=8008 train.py
        """;

    private const string DstackDistributed = """
        type: task
        name: pair
        nodes: 2
        startup_order: any
        stop_criteria: all-done
        backends: [aws, kubernetes]
        regions: [us-east-1]
        resources: {gpu: "H100:8", shm_size: 16GB}
        env: [NCCL_DEBUG=INFO]
        commands:
          - |
            torchrun --nnodes=$DSTACK_NODES_NUM --node-rank=$DSTACK_NODE_RANK --nproc-per-node=$DSTACK_GPUS_PER_NODE \
              --master-addr=$DSTACK_MASTER_NODE_IP --master-port=12345 train.py
        """;

    private const string SkyServing = """
        service:
          readiness_probe:
            path: /v1/models
            initial_delay_seconds: 900
          replica_policy:
            min_replicas: 1
            max_replicas: 4
            target_qps_per_replica: 5
            upscale_delay_seconds: 300
            downscale_delay_seconds: 1200
            base_ondemand_fallback_replicas: 1
            dynamic_ondemand_fallback: true
          load_balancing_policy: least_load
        resources:
          ports: 8000
          accelerators: {L4:1, A10G:1, A100:1}
          use_spot: true
        secrets: {HF_TOKEN: null}
        run: vllm serve $MODEL --port 8000
        envs: {MODEL: meta-llama/Llama-3.1-8B-Instruct}
        """;

    private const string DstackServing = """
        type: service
        name: serving
        image: vllm/vllm-openai:latest
        port: 8000
        model: meta-llama/Llama-3.1-8B-Instruct
        env: [HF_TOKEN]
        commands: ["vllm serve meta-llama/Llama-3.1-8B-Instruct --port 8000"]
        replicas: 0..4
        scaling:
          metric: rps
          target: 5
          scale_up_delay: 5m
          scale_down_delay: 10m
        probes: [{type: http, url: /v1/models, interval: 15s}]
        rate_limits: [{prefix: /v1/, rps: 10, burst: 20}]
        gateway: true
        https: auto
        auth: true
        spot_policy: auto
        resources: {gpu: "24GB..80GB:1"}
        """;

    private const string SkySpot = """
        name: long-run
        resources:
          accelerators: A100-80GB:8
          use_spot: true
          job_recovery:
            strategy: EAGER_NEXT_REGION
            max_restarts_on_errors: 3
            recover_on_exit_codes: [33, 34]
        file_mounts:
          /saved:
            name: a-bucket
            mode: MOUNT_CACHED
            type: MODEL_CHECKPOINT_RW
        config:
          hooks:
            - run: python save.py
              events: [preemption]
              timeout: 100
        run: python train.py --saved /saved --resume --run-id $SKYPILOT_TASK_ID
        """;

    private const string DstackSpot = """
        type: task
        name: long-run
        python: 3.12
        resources: {gpu: "A100:80GB:8"}
        spot_policy: spot
        retry:
          on_events: [no-capacity, interruption, error]
          duration: 24h
        max_duration: 72h
        stop_duration: 10m
        utilization_policy: {min_gpu_utilization: 10, time_window: 1h}
        priority: 50
        volumes:
          - name: a-volume
            path: /saved
        commands:
          - python train.py --saved /saved --resume --run-id $DSTACK_RUN_NAME
        """;

    /// <summary>Cards that are rented today, with the memory that they report.</summary>
    private static readonly (string Name, string Vendor, long Memory)[] s_cards =
    [
        ("H100-SXM-80GB", "nvidia", 81_559L << 20), ("H100-PCIE-80GB", "nvidia", 81_559L << 20), ("A100-SXM-80GB", "nvidia", 81_920L << 20), ("A100-80GB", "nvidia", 80_000_000_000),
        ("A100-SXM-40GB", "nvidia", 40_960L << 20), ("L4", "nvidia", 23_034L << 20), ("A10G", "nvidia", 23_028L << 20), ("H200-SXM-141GB", "nvidia", 143_771L << 20),
        ("T4", "nvidia", 15_360L << 20), ("MI300X", "amd", 196_592L << 20),
    ];

    [Fact]
    public void A_single_gpu_training_means_the_same_in_both()
    {
        var (sky, dstack) = Both(SkyTraining, DstackTraining, "autostop file_mounts", "python shm_size idle_duration files volumes");
        Assert.Equal(Cards(sky.Resources), Cards(dstack.Resources));
        Assert.Equal(["H100-SXM-80GB", "H100-PCIE-80GB", "A100-SXM-80GB", "A100-80GB"], Cards(sky.Resources));
        Assert.Equal(sky.Resources.Cpus, dstack.Resources.Cpus);
        Assert.Equal(sky.Resources.MemoryBytes, dstack.Resources.MemoryBytes);
        Assert.Equal(new Range<long>(64_000_000_000, null), sky.Resources.MemoryBytes);
        Assert.Equal(sky.Resources.DiskBytes, dstack.Resources.DiskBytes);
        Assert.Equal(sky.Money.MaxPricePerHour, dstack.Money.MaxPricePerHour);
        Assert.Equal(HourlyPrice.FromUsd(4), sky.Money.MaxPricePerHour);
        Assert.Equal(sky.Env, dstack.Env);
        Assert.Equal(Given(sky), Given(dstack));
        Assert.Equal(8 * 3600, dstack.Money.MaxDurationSeconds);
        Assert.Contains("pip install trl", sky.Setup, StringComparison.Ordinal);
        Assert.StartsWith("uv pip install trl\ntrl sft", dstack.Run, StringComparison.Ordinal);
    }

    [Fact]
    public void A_distributed_training_means_the_same_in_both()
    {
        var (sky, dstack) = Both(SkyDistributed, DstackDistributed, "", "shm_size");
        Assert.Equal((2, 2), (sky.Nodes, dstack.Nodes));
        Assert.Equal(Cards(sky.Resources.AnyOf[0]), Cards(dstack.Resources));
        Assert.All(sky.Resources.AnyOf, one => Assert.Equal(dstack.Resources.Accelerators!.Count, one.Accelerators!.Count));
        Assert.True(MayRun(sky, "aws", "us-east-1") && MayRun(dstack, "aws", "us-east-1"));
        Assert.False(MayRun(sky, "aws", "us-west-2") || MayRun(dstack, "aws", "us-west-2"));
        Assert.False(MayRun(sky, "gcp", "us-east-1") || MayRun(dstack, "gcp", "us-east-1"));
        Assert.True(MayRun(sky, "kubernetes", "a-context"));
        Assert.Equal("INFO", dstack.Env["NCCL_DEBUG"]);
    }

    [Fact]
    public void A_service_means_the_same_in_both()
    {
        var (sky, dstack) = Both(
            SkyServing,
            DstackServing,
            "upscale_delay_seconds dynamic_ondemand_fallback load_balancing_policy",
            "interval image scale_up_delay rate_limits gateway https auth");
        Assert.Equal((WorkloadKind.Serve, WorkloadKind.Serve), (sky.Kind, dstack.Kind));
        Assert.Equal(sky.Service!.Port, dstack.Service!.Port);
        Assert.Equal(sky.Service.ReadinessPath, dstack.Service.ReadinessPath);
        Assert.Equal(sky.Service.TargetRequestsPerSecond, dstack.Service.TargetRequestsPerSecond);
        Assert.Equal((1, 4, 0, 4), (sky.Service.MinReplicas, sky.Service.MaxReplicas, dstack.Service.MinReplicas, dstack.Service.MaxReplicas));
        Assert.Equal((1200, 600), (sky.Service.ScaleDownDelaySeconds, dstack.Service.ScaleDownDelaySeconds));
        Assert.Equal((900, 1), (sky.Service.StartWithinSeconds, sky.Service.OnDemandBase));
        Assert.Equal(sky.Where.Interruptible, dstack.Where.Interruptible);
        Assert.Equal(Given(sky), Given(dstack));
        Assert.Equal("meta-llama/Llama-3.1-8B-Instruct", dstack.Service.Model);
        Assert.Equal(["L4", "A10G", "A100"], sky.Resources.Accelerators!.Names);
        Assert.Contains("A100-SXM-80GB", Cards(dstack.Resources));
        Assert.DoesNotContain("H200-SXM-141GB", Cards(dstack.Resources));
        Assert.DoesNotContain("T4", Cards(dstack.Resources));
    }

    [Fact]
    public void A_training_on_spot_means_the_same_in_both()
    {
        var (sky, dstack) = Both(SkySpot, DstackSpot, "strategy file_mounts config", "python duration utilization_policy volumes");
        Assert.Equal(Cards(sky.Resources), Cards(dstack.Resources));
        Assert.Equal(sky.Resources.Accelerators!.Count, dstack.Resources.Accelerators!.Count);
        Assert.True(sky.Where.Interruptible && dstack.Where.Interruptible);
        Assert.Equal(3, sky.Retries.Max);
        Assert.Equal([33, 34], sky.Retries.OnExitCodes);
        Assert.Equal(1000, dstack.Retries.Max);
        Assert.Equal(600, dstack.StopGraceSeconds);
        Assert.Equal(72 * 3600, dstack.Money.MaxDurationSeconds);
    }

    /// <summary>Both files with exactly the warnings named, each at a line that has the word.</summary>
    private static (WorkloadSpec Sky, WorkloadSpec Dstack) Both(string sky, string dstack, string skyWarnings, string dstackWarnings) =>
        (One(sky, WorkloadDialect.SkyPilot, skyWarnings), One(dstack, WorkloadDialect.Dstack, dstackWarnings));

    private static WorkloadSpec One(string yaml, WorkloadDialect dialect, string warned)
    {
        var result = WorkloadParser.Parse(yaml, "serving.yaml");
        Assert.Empty(result.Errors);
        Assert.Equal(dialect, result.Dialect);
        var words = warned.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        Assert.All(words, word => Assert.Contains(result.Warnings, warning => warning.Message.Contains(word, StringComparison.Ordinal)));
        Assert.Equal(words.Length, result.Warnings.Count);
        return Assert.Single(result.File!.Steps).Workload;
    }

    private static List<string> Cards(ResourceSpec resources) =>
        [.. s_cards.Where(card => Fits(resources.Accelerators!, card)).Select(card => card.Name)];

    private static bool Fits(AcceleratorSpec spec, (string Name, string Vendor, long Memory) card) =>
        (spec.Names.Count == 0 || spec.Names.Any(name => AcceleratorName.Matches(name, card.Name)))
        && (spec.Vendor is null || spec.Vendor == card.Vendor)
        && spec.MemoryBytes.Contains(card.Memory);

    private static bool MayRun(WorkloadSpec workload, string provider, string region)
    {
        IEnumerable<ResourceSpec> choices = workload.Resources.AnyOf.Count > 0 ? workload.Resources.AnyOf : [workload.Resources];
        return (workload.Where.Providers.Count == 0 || workload.Where.Providers.Contains(provider))
            && choices.Any(choice => (choice.Regions.Count > 0 ? choice.Regions : workload.Where.Regions).Any(pattern => RegionPattern.Matches(pattern, provider, region)));
    }

    private static IEnumerable<string> Given(WorkloadSpec workload) => workload.Secrets.Concat(workload.RequiredEnv);
}
