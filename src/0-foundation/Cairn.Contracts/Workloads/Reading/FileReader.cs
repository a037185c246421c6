using Cairn.Contracts.Workloads.Yaml;

namespace Cairn.Contracts.Workloads.Reading;

/// <summary>
/// Reads a whole file: one document is a workload or a pipeline with <c>steps</c>; several are a chain, each needing the one before it,
/// with SkyPilot's header document in front if there is one.
/// </summary>
internal static class FileReader
{
    private static readonly string[] s_headerFields = ["name", "project", "execution", "primary_tasks", "termination_delay"];

    public static WorkloadFile? Read(string text, ReadContext reader)
    {
        var documents = YamlTree.Read(text, reader.Findings);
        var roots = new List<YamlMapping>();
        foreach (var document in documents)
        {
            if (document.Root is YamlMapping root)
                roots.Add(root);
            else if (document.Root is { } other)
                reader.Findings.Error(other, DiagnosticCodes.WrongType, $"expected fields such as 'run: …', found {other.Described}");
        }

        if (roots.Count == 0)
        {
            if (!reader.Findings.HasErrors)
                reader.Findings.Error(1, 1, DiagnosticCodes.Missing, "the file is empty; a workload has at least 'run: …'");
            return null;
        }

        reader.Dialect = Dialects.Of(roots);
        return roots.Count == 1 ? ReadDocument(reader, roots[0]) : ReadChain(reader, roots);
    }

    private static WorkloadFile? ReadDocument(ReadContext reader, YamlMapping root)
    {
        if (root.Find("steps") is { } steps)
            return PipelineReader.Read(reader, root, steps);
        if (root.Find("needs") is { } needs)
            reader.Findings.Error(
                needs.Key, DiagnosticCodes.Conflict, "'needs' is a field of a step; a single workload has no other to need");
        var step = StepReader.Read(reader, root, new WorkloadSpec { Name = WorkloadName.OfFile(reader.FileName) });
        StepGraph.Check(reader, [step]);
        return new WorkloadFile { Name = step.Spec.Name, Steps = [step.ToSpec()] };
    }

    private static WorkloadFile ReadChain(ReadContext reader, List<YamlMapping> roots)
    {
        var name = WorkloadName.OfFile(reader.FileName);
        var header = roots[0].Entries.TrueForAll(entry => s_headerFields.Contains(entry.Key.Text)) ? roots[0] : null;
        var parallel = false;
        if (header is not null)
        {
            name = header.Find("name") is { } given ? WorkloadName.Read(new FieldValue(reader, "name", given.Value, given.Key)) : name;
            parallel = IsParallel(reader, header);
            roots = roots[1..];
        }

        if (roots.Count > PipelineReader.MaxSteps)
        {
            reader.Findings.Error(
                roots[PipelineReader.MaxSteps], DiagnosticCodes.Limit,
                $"{roots.Count:N0} documents are more than {PipelineReader.MaxSteps:N0}");
            roots = roots[..PipelineReader.MaxSteps];
        }

        var steps = new List<StepDraft>();
        foreach (var root in roots)
        {
            if (root.Find("steps") is { } inner)
                reader.Findings.Error(inner.Key, DiagnosticCodes.Conflict, "a file has either 'steps' or several documents");
            var step = StepReader.Read(reader, root, new WorkloadSpec { Name = $"{name[..Math.Min(name.Length, 56)]}-{steps.Count + 1}" });
            if (steps.Count > 0 && !parallel)
                step.Needs.Add(new NeedDraft(steps[^1].Spec.Name, root));
            steps.Add(step);
        }

        StepGraph.Check(reader, steps);
        return new WorkloadFile { Name = name, Steps = [.. steps.Select(step => step.ToSpec())] };
    }

    private static bool IsParallel(ReadContext reader, YamlMapping header)
    {
        foreach (var name in (string[])["primary_tasks", "termination_delay"])
        {
            if (header.Find(name) is { } ignored)
                reader.Findings.Warn(
                    ignored.Key, DiagnosticCodes.NotActedOn, $"'{name}' is understood and not acted on: every step runs to its own end");
        }

        if (header.Find("execution") is not { } execution)
            return false;
        var value = new FieldValue(reader, "execution", execution.Value, execution.Key);
        if (value.Scalar is not ("serial" or "parallel"))
            value.Expected("serial or parallel");
        else if (value.Scalar is "parallel")
            value.NotActedOn("the steps need nothing of each other, and are placed and started each by itself");
        return value.Scalar is "parallel";
    }
}
