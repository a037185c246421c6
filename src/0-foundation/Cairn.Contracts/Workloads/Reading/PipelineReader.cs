using Cairn.Contracts.Workloads.Yaml;

namespace Cairn.Contracts.Workloads.Reading;

/// <summary>
/// Reads <c>steps</c>, a list of workloads or a mapping of names to them. Fields beside <c>steps</c> hold for every step that does not say
/// otherwise.
/// </summary>
internal static class PipelineReader
{
    public const int MaxSteps = 1000;

    /// <summary>Fields that would mean something else for each step than for the whole.</summary>
    private static readonly string[] s_notShared = ["inputs", "outputs", "run", "service", "needs", "type"];

    public static WorkloadFile Read(ReadContext reader, YamlMapping root, YamlEntry entry)
    {
        var shared = ReadShared(reader, root);
        var found = Entries(reader, entry);
        if (found.Count > MaxSteps)
        {
            reader.Findings.Error(entry.Key, DiagnosticCodes.Limit, $"{found.Count:N0} steps are more than {MaxSteps:N0}");
            found = [];
        }

        var steps = found.Select((step, index) => ReadStep(reader, step.Name, step.Body, shared, index)).ToList();
        StepGraph.Check(reader, steps);
        return new WorkloadFile { Name = shared.Name, Steps = [.. steps.Select(step => step.ToSpec())] };
    }

    private static WorkloadSpec ReadShared(ReadContext reader, YamlMapping root)
    {
        foreach (var name in s_notShared)
        {
            if (root.Find(name) is { } wrong)
                reader.Findings.Error(wrong.Key, DiagnosticCodes.Conflict, $"'{name}' may not stand beside 'steps'; write it in the steps");
        }

        if (root.Find("money")?.Value is YamlMapping money)
        {
            foreach (var name in (string[])["budget", "deadline"])
            {
                if (money.Find(name) is { } wrong)
                    reader.Findings.Error(
                        wrong.Key, DiagnosticCodes.Conflict, $"'{name}' beside 'steps' would hold for each step; write it in the steps");
            }
        }

        var seed = new WorkloadSpec { Name = WorkloadName.OfFile(reader.FileName) };
        return reader.InScope(() => WorkloadFields.Table.Read(reader, root, seed, ["steps", .. s_notShared]));
    }

    private static List<(YamlScalar? Name, YamlMapping Body)> Entries(ReadContext reader, YamlEntry entry)
    {
        var found = new List<(YamlScalar?, YamlMapping)>();
        IReadOnlyList<(YamlScalar? Name, YamlNode Body)> steps = entry.Value switch
        {
            YamlMapping map => [.. map.Entries.Select(step => ((YamlScalar?)step.Key, step.Value))],
            YamlSequence list => [.. list.Items.Select(item => ((YamlScalar?)null, item))],
            _ => [],
        };
        if (steps.Count == 0)
            reader.Findings.Error(
                entry.Value, DiagnosticCodes.WrongType,
                $"steps: expected a list of workloads, or a mapping of names to workloads, found {entry.Value.Described}");
        foreach (var (name, body) in steps)
        {
            if (body is YamlMapping mapping)
                found.Add((name, mapping));
            else
                reader.Findings.Error(body, DiagnosticCodes.WrongType, $"steps: expected a workload, found {body.Described}");
        }

        return found;
    }

    private static StepDraft ReadStep(ReadContext reader, YamlScalar? key, YamlMapping body, WorkloadSpec shared, int index)
    {
        var name = $"{shared.Name[..Math.Min(shared.Name.Length, 56)]}-{index + 1}";
        if (key is not null)
        {
            name = WorkloadName.Read(new FieldValue(reader, "steps", key, key));
            if (body.Find("name") is { } twice)
                reader.Findings.Error(
                    twice.Key, DiagnosticCodes.Conflict, $"the step is named '{Excerpt.Of(key.Text)}' already, on line {key.Line}");
        }
        else if (body.Find("name") is null)
        {
            reader.Findings.Error(body, DiagnosticCodes.Missing, "the step has no 'name'");
        }

        if (body.Find("steps") is { } inner)
            reader.Findings.Error(inner.Key, DiagnosticCodes.Conflict, "a step has no steps of its own");
        var draft = StepReader.Read(reader, body, shared with { Name = name });
        return key is null ? draft : draft with { At = key };
    }
}
