using Cairn.Contracts.Api;
using Cairn.Contracts.Offers;
using Cairn.Contracts.Units;
using Cairn.Contracts.Workloads.Reading;
using Cairn.Contracts.Workloads.Yaml;

namespace Cairn.Contracts.Workloads;

/// <summary>
/// Writes the canonical form. What has its default is left out; reading the text back gives the same file, whatever dialect it was first
/// written in, for every file that the parser can give.
/// </summary>
public static class WorkloadWriter
{
    public static string ToYaml(WorkloadFile file)
    {
        ArgumentNullException.ThrowIfNull(file);
        var text = new YamlText();
        if (file.Steps is [{ Needs.Count: 0 } only] && only.Name == file.Name && only.Workload.Name == file.Name)
        {
            Write(text, only.Workload);
            return text.ToString();
        }

        text.Field("name", file.Name);
        text.List("steps", file.Steps, step =>
        {
            Write(text, step.Workload);
            text.Words("needs", step.Needs);
        });
        return text.ToString();
    }

    private static void Write(YamlText text, WorkloadSpec workload)
    {
        text.Field("name", workload.Name);
        text.Field("project", workload.Project);
        if (workload.Kind != new WorkloadSpec { Name = "" }.Kind && workload is not { Kind: WorkloadKind.Serve, Service: not null })
            text.Bare("kind", EnumWords.Of(workload.Kind));
        text.Section("resources", () => Write(text, workload.Resources, inAlternative: false));
        if (workload.Nodes != 1)
            text.Bare("nodes", Numbers.Format(workload.Nodes));
        text.Section("where", () => Write(text, workload.Where));
        text.Section("money", () => Write(text, workload.Money));
        text.List("inputs", workload.Inputs, data => Write(text, data));
        text.List("outputs", workload.Outputs, data => Write(text, data));
        text.Field("workdir", workload.Workdir);
        if (workload.Env.Count + workload.RequiredEnv.Count > 0)
        {
            text.Map("env", () =>
            {
                foreach (var (name, value) in workload.Env.OrderBy(pair => pair.Key, StringComparer.Ordinal))
                    text.Field(name, value);
                foreach (var name in workload.RequiredEnv)
                    text.Bare(YamlText.Scalar(name), "null");
            });
        }

        text.Words("secrets", workload.Secrets);
        text.Script("setup", workload.Setup);
        text.Script("run", workload.Run);
        text.Field("framework", workload.Framework);
        if (workload.Checkpoints is { } checkpoints)
            text.Map("checkpoints", () => Write(text, checkpoints));
        text.Section("retries", () => Write(text, workload.Retries));
        if (workload.Service is { } service)
            text.Map("service", () => ServiceText.Write(text, service));
        if (workload.Priority != 50)
            text.Bare("priority", Numbers.Format(workload.Priority));
        text.Words("labels", workload.Labels);
        if (workload.StopGraceSeconds != 30)
            text.Bare("stop_grace", Duration.Format(workload.StopGraceSeconds));
    }

    private static void Write(YamlText text, ResourceSpec resources, bool inAlternative)
    {
        if (resources.Accelerators is { } accelerators)
            text.Field("accelerators", AcceleratorGrammar.Format(accelerators));
        if (!resources.Cpus.IsAny)
            text.Field("cpus", Ranges.Format(resources.Cpus, Numbers.Format));
        if (!resources.MemoryBytes.IsAny)
            text.Field("memory", Ranges.Format(resources.MemoryBytes, ByteSize.Format));
        if (resources.DiskBytes > 0)
            text.Bare("disk", ByteSize.Format(resources.DiskBytes));
        if (resources.Interconnect != InterconnectKind.None)
            text.Bare("interconnect", EnumWords.Of(resources.Interconnect));
        text.Words("node_labels", resources.NodeLabels);
        if (resources.Spread)
            text.Bare("spread", "true");
        if (!inAlternative)
        {
            text.List("any_of", resources.AnyOf, one => Write(text, one, inAlternative: true));
            text.List("ordered", resources.Ordered, one => Write(text, one, inAlternative: true));
            return;
        }

        text.Words("regions", resources.Regions);
        if (resources.Interruptible is { } interruptible)
            text.Bare("interruptible", interruptible ? "true" : "false");
        if (resources.MaxPricePerHour is { } price)
            text.Bare("max_price", MoneyText.Format(new Money(price.MicrosPerHour)));
    }

    private static void Write(YamlText text, WhereSpec where)
    {
        text.Words("deployment_models", where.DeploymentModels.Select(EnumWords.Of));
        text.Words("providers", where.Providers);
        text.Words("regions", where.Regions);
        text.Words("avoid", where.Avoid);
        text.Words("residency", where.Residency);
        text.Words("certifications", where.Certifications);
        if (where.Latency is { } latency)
        {
            text.Map("latency", () =>
            {
                text.Bare("max", Numbers.Format(latency.MaxMs) + "ms");
                text.List("from", latency.From, place =>
                {
                    text.Field("name", place.Name);
                    text.Field("at", LatencyFields.FormatPoint(place.Point));
                });
            });
        }

        if (where.AvailabilityPercent is { } availability)
            text.Bare("availability", Numbers.Format(availability));
        if (where.Offline)
            text.Bare("offline", "true");
        if (where.Trust != TrustTier.Community)
            text.Bare("trust", EnumWords.Of(where.Trust));
        if (where.Interruptible)
            text.Bare("interruptible", "true");
    }

    private static void Write(YamlText text, MoneySpec money)
    {
        if (money.MaxPricePerHour is { } price)
            text.Bare("max_price", MoneyText.Format(new Money(price.MicrosPerHour)));
        if (money.Budget is { } budget)
            text.Bare("budget", MoneyText.Format(budget));
        Seconds("deadline", money.DeadlineSeconds);
        Seconds("expected_duration", money.ExpectedDurationSeconds);
        Seconds("max_duration", money.MaxDurationSeconds);

        void Seconds(string name, long? seconds)
        {
            if (seconds is { } given)
                text.Bare(name, Duration.Format(given));
        }
    }

    private static void Write(YamlText text, DataSpec data)
    {
        text.Field("name", data.Name);
        text.Field("path", data.Path);
        if (data.SizeBytes > 0)
            text.Bare("size", ByteSize.Format(data.SizeBytes));
        text.Field("place", data.Place);
        text.Field("step", data.Step);
    }

    private static void Write(YamlText text, CheckpointSpec checkpoints)
    {
        text.Field("path", checkpoints.Path);
        text.Bare("interval", Duration.Format(checkpoints.IntervalSeconds));
        if (checkpoints.SizeBytes > 0)
            text.Bare("size", ByteSize.Format(checkpoints.SizeBytes));
    }

    private static void Write(YamlText text, RetrySpec retries)
    {
        var usual = new RetrySpec();
        if (retries.Max != usual.Max)
            text.Bare("max", Numbers.Format(retries.Max));
        text.Words("on_exit_codes", retries.OnExitCodes.Select(code => Numbers.Format(code)));
        if (retries.Restart != usual.Restart)
            text.Bare("restart", EnumWords.Of(retries.Restart));
        if (retries.MaxLost != usual.MaxLost)
            text.Bare("max_lost", Numbers.Format(retries.MaxLost));
        if (retries.Disconnected != usual.Disconnected)
            text.Bare("disconnected", EnumWords.Of(retries.Disconnected));
    }
}
