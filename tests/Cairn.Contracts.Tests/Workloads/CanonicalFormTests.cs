using Cairn.Contracts.Offers;
using Cairn.Contracts.Units;
using Cairn.Contracts.Workloads;

namespace Cairn.Contracts.Tests.Workloads;

public sealed class CanonicalFormTests
{
    private const string Everything = """
        name: train
        project: research
        kind: train
        resources:
          accelerators: H100:8
          cpus: 64+
          memory: 512GB..2TB
          disk: 1TB
          interconnect: infiniband
          node_labels: {rack: a1}
          spread: true
        nodes: 4
        where:
          deployment_models: [decentralized, on-premises]
          providers: [io.net]
          regions: [us-*, aws/us-east-1]
          residency: [EU, us]
          certifications: [SOC 2, iso27001]
          latency: {max: 50ms, from: [Frankfurt, {name: plant, at: "50.1,8.7"}]}
          availability: 99.9%
          offline: true
          trust: verified
          interruptible: true
        money: {max_price: $20/h, budget: "1,000 USD", deadline: 2d, expected_duration: 1d12h, max_duration: 36h}
        inputs:
          - {name: corpus, path: data/corpus, size: 500GB, place: s3://corpus/v1}
        outputs:
          - {name: model, path: out, size: 16GiB, place: aws/us-east-1}
        workdir: .
        env: {EPOCHS: 3, WANDB_API_KEY: null}
        secrets: [HF_TOKEN]
        setup: pip install -r requirements.txt
        run: |
          torchrun train.py
          echo done
        framework: pytorch
        checkpoints: {path: checkpoints, interval: 30m, size: 100GB}
        retries: {max: 3, on_exit_codes: [33, 34], restart: lost, max_lost: 5, disconnected: stop}
        priority: 70
        labels: {team: nlp}
        stop_grace: 2m
        """;

    [Fact]
    public void Every_field_is_read_in_its_unit()
    {
        var result = WorkloadParser.Parse(Everything, "train.yaml");
        Assert.Empty(result.Errors);
        Assert.Empty(result.Warnings);
        Assert.Equal(WorkloadDialect.Cairn, result.Dialect);
        var workload = Assert.Single(result.File!.Steps).Workload;
        Assert.Equal("train", result.File.Name);
        Assert.Equal("research", workload.Project);
        Assert.Equal(WorkloadKind.Train, workload.Kind);
        Assert.Equal(["H100"], workload.Resources.Accelerators!.Names);
        Assert.Equal(new Range<double>(8, 8), workload.Resources.Accelerators.Count);
        Assert.Equal(new Range<double>(64, null), workload.Resources.Cpus);
        Assert.Equal(new Range<long>(512_000_000_000, 2_000_000_000_000), workload.Resources.MemoryBytes);
        Assert.Equal(1_000_000_000_000, workload.Resources.DiskBytes);
        Assert.Equal(InterconnectKind.Infiniband, workload.Resources.Interconnect);
        Assert.Equal("a1", workload.Resources.NodeLabels["rack"]);
        Assert.True(workload.Resources.Spread);
        Assert.Equal(4, workload.Nodes);
        Assert.Equal([DeploymentModel.Decentralized, DeploymentModel.OnPremises], workload.Where.DeploymentModels);
        Assert.Equal(["io.net"], workload.Where.Providers);
        Assert.Equal(["us-*", "aws/us-east-1"], workload.Where.Regions);
        Assert.Equal(["EU", "US"], workload.Where.Residency);
        Assert.Equal(["soc2", "iso27001"], workload.Where.Certifications);
        Assert.Equal(50, workload.Where.Latency!.MaxMs);
        Assert.Equal([new PlaceSpec("Frankfurt", new GeoPoint(50.1, 8.7)), new PlaceSpec("plant", new GeoPoint(50.1, 8.7))], workload.Where.Latency.From);
        Assert.Equal(99.9, workload.Where.AvailabilityPercent);
        Assert.True(workload.Where.Offline);
        Assert.Equal(TrustTier.Verified, workload.Where.Trust);
        Assert.True(workload.Where.Interruptible);
        Assert.Equal(HourlyPrice.FromUsd(20), workload.Money.MaxPricePerHour);
        Assert.Equal(Money.FromUsd(1000), workload.Money.Budget);
        Assert.Equal(172_800, workload.Money.DeadlineSeconds);
        Assert.Equal(129_600, workload.Money.ExpectedDurationSeconds);
        Assert.Equal(129_600, workload.Money.MaxDurationSeconds);
        Assert.Equal(new DataSpec { Name = "corpus", Path = "data/corpus", SizeBytes = 500_000_000_000, Place = "s3://corpus/v1" }, Assert.Single(workload.Inputs));
        Assert.Equal(16L << 30, Assert.Single(workload.Outputs).SizeBytes);
        Assert.Equal(".", workload.Workdir);
        Assert.Equal("3", workload.Env["EPOCHS"]);
        Assert.Equal(["WANDB_API_KEY"], workload.RequiredEnv);
        Assert.Equal(["HF_TOKEN"], workload.Secrets);
        Assert.Equal("pip install -r requirements.txt", workload.Setup);
        Assert.Equal("torchrun train.py\necho done", workload.Run!.TrimEnd());
        Assert.Equal("pytorch", workload.Framework);
        Assert.Equal(new CheckpointSpec { Path = "checkpoints", IntervalSeconds = 1800, SizeBytes = 100_000_000_000 }, workload.Checkpoints);
        Assert.Equal(3, workload.Retries.Max);
        Assert.Equal([33, 34], workload.Retries.OnExitCodes);
        Assert.Equal(RestartPolicy.Lost, workload.Retries.Restart);
        Assert.Equal(5, workload.Retries.MaxLost);
        Assert.Equal(DisconnectedPolicy.Stop, workload.Retries.Disconnected);
        Assert.Equal(70, workload.Priority);
        Assert.Equal("nlp", workload.Labels["team"]);
        Assert.Equal(120, workload.StopGraceSeconds);
    }

    [Fact]
    public void An_error_names_file_line_column_and_the_nearest_word()
    {
        var result = WorkloadParser.Parse("run: x\nresources:\n  acelerators: H100\n", "train.yaml");
        Assert.Null(result.File);
        Assert.Equal("train.yaml:3:3: error: 'acelerators' is not a field of resources; did you mean 'accelerators'?", Assert.Single(result.Errors).ToString());
    }

    [Fact]
    public void All_errors_are_reported_at_once()
    {
        var result = WorkloadParser.Parse("nodes: many\npriority: 101\nwhere: {trust: none}\nrun: [1]\nenv: 3\n", "a.yaml");
        Assert.Equal([1, 2, 3, 5], result.Errors.Select(error => error.Line));
    }
}
