using Cairn.Contracts.Workloads.Yaml;

namespace Cairn.Contracts.Workloads.Reading;

/// <param name="Name">The step that is needed.</param>
/// <param name="At">Where the file says so.</param>
internal sealed record NeedDraft(string Name, YamlNode At);

/// <summary>A step before its references are checked.</summary>
internal sealed record StepDraft(WorkloadSpec Spec, YamlNode At, List<NeedDraft> Needs)
{
    public StepSpec ToSpec() => new()
    {
        Name = Spec.Name,
        Workload = Spec,
        Needs = [.. Needs.Select(need => need.Name).Distinct(StringComparer.Ordinal)],
    };
}

/// <summary>Reads one workload with the names of the steps it refers to.</summary>
internal static class StepReader
{
    private static readonly Dictionary<string, string> s_otherTypes = new(StringComparer.Ordinal)
    {
        ["fleet"] = "nodes join by themselves: start 'cairn node join' on each machine; rented ones come and go with their jobs",
        ["gateway"] = "the control plane has the gateway; there is nothing to apply",
        ["volume"] = "write checkpoints for a folder kept across attempts, inputs and outputs for data",
        ["preset"] = "write the workload itself",
    };

    private static readonly string[] s_types = ["task", "service", "dev-environment"];

    /// <param name="reader">Takes errors and warnings.</param>
    /// <param name="root">The workload's mapping.</param>
    /// <param name="seed">Has a name, and what holds where the mapping says nothing.</param>
    public static StepDraft Read(ReadContext reader, YamlMapping root, WorkloadSpec seed)
    {
        reader.StepNames.Clear();
        var type = ReadType(reader, root);
        if (type is null && root.Find("type") is not null)
            return new StepDraft(seed, root, []);
        if (type == "dev-environment")
            seed = seed with { Kind = WorkloadKind.Dev, Run = "exec sleep infinity\n" };
        var spec = reader.InScope(() => WorkloadFields.Table.Read(reader, root, seed, "type", "steps", "needs"));
        CheckWhole(reader, root, spec, type);
        var needs = root.Find("needs") is { } given ? ReadNeeds(new FieldValue(reader, "needs", given.Value, given.Key)) : [];
        needs.AddRange(reader.StepNames.Select(step => new NeedDraft(step.Scalar ?? "", step.Node)));
        return new StepDraft(spec, root.Find("name")?.Value ?? root, needs);
    }

    /// <summary>What no single field can say.</summary>
    private static void CheckWhole(ReadContext reader, YamlMapping root, WorkloadSpec spec, string? type)
    {
        YamlNode at = root.Find("service")?.Key ?? root.Find("type")?.Value ?? root;
        if (spec.Service is { Port: 0 } || (type == "service" && spec.Service is null))
            reader.Findings.Error(at, DiagnosticCodes.Missing, "the service has no 'port'");
        if (type is not null and not "service" && spec.Service is not null)
            reader.Findings.Error(
                at, DiagnosticCodes.Conflict, $"a {type} has no port, model, replicas, scaling or probes; write type: service");
        if (spec.Run is null)
            reader.Findings.Warn(
                root, DiagnosticCodes.Suspicious, "there is no 'run': the workload can be planned, and has nothing to start");
        if (spec.Checkpoints is null && root.Find("checkpoints") is null
            && spec is { Retries.Max: > 0, Kind: WorkloadKind.Train, Where.Interruptible: true })
            reader.Findings.Warn(root, DiagnosticCodes.Suspicious,
                "an interruptible training without 'checkpoints' starts over whenever its machine is taken away");
    }

    private static string? ReadType(ReadContext reader, YamlMapping root)
    {
        if (root.Find("type") is not { } entry)
            return null;
        var value = new FieldValue(reader, "type", entry.Value, entry.Key);
        var type = value.Word("task, service or dev-environment");
        if (s_types.Contains(type))
            return type;
        if (s_otherTypes.TryGetValue(type, out var instead))
            value.Error(DiagnosticCodes.NotSupported, $"'{type}' is not a workload: {instead}");
        else if (type.Length > 0)
            value.Expected("task, service or dev-environment" + reader.Near(type, [.. s_types, .. s_otherTypes.Keys]).Replace("?", "",
                StringComparison.Ordinal));
        return null;
    }

    private static List<NeedDraft> ReadNeeds(FieldValue value)
    {
        if (value.Mapping is null)
            return [.. value.Items().Select(item => new NeedDraft(item.Word("a step's name"), item.Node))];
        value.Expected("a list of steps");
        return [];
    }
}
