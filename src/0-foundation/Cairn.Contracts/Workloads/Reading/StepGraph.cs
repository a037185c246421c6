using Cairn.Contracts.Workloads.Yaml;

namespace Cairn.Contracts.Workloads.Reading;

/// <summary>Checks that steps have names of their own, need only steps that are there, and do not need each other.</summary>
internal static class StepGraph
{
    public static void Check(ReadContext reader, IReadOnlyList<StepDraft> steps)
    {
        var byName = new Dictionary<string, StepDraft>(StringComparer.Ordinal);
        foreach (var step in steps)
        {
            if (!byName.TryAdd(step.Spec.Name, step))
                reader.Findings.Error(
                    step.At, DiagnosticCodes.DuplicateKey,
                    $"a step named '{step.Spec.Name}' is there already, on line {byName[step.Spec.Name].At.Line}");
        }

        foreach (var step in steps)
        {
            foreach (var need in step.Needs)
                CheckNeed(reader, step, need, byName);
        }

        ReportCycle(reader, steps, byName);
    }

    private static void CheckNeed(ReadContext reader, StepDraft step, NeedDraft need, Dictionary<string, StepDraft> byName)
    {
        if (need.Name == step.Spec.Name)
            reader.Findings.Error(need.At, DiagnosticCodes.Cycle, $"the step '{Excerpt.Of(need.Name)}' needs itself");
        else if (need.Name.Length > 0 && !byName.ContainsKey(need.Name))
            reader.Findings.Error(
                need.At, DiagnosticCodes.UnknownName, $"no step is named '{Excerpt.Of(need.Name)}'{reader.Near(need.Name, byName.Keys)}");
    }

    /// <summary>
    /// Takes away steps whose needs are met until none is left (Kahn); what stays holds a cycle, which is then walked once.
    /// </summary>
    private static void ReportCycle(ReadContext reader, IReadOnlyList<StepDraft> steps, Dictionary<string, StepDraft> byName)
    {
        var open = new HashSet<string>(byName.Keys, StringComparer.Ordinal);
        var needs = byName.Values.ToDictionary(step => step.Spec.Name, step => step.Needs.Where(need => need.Name != step.Spec.Name
            && byName.ContainsKey(need.Name)).ToList());
        var missing = needs.ToDictionary(pair => pair.Key, pair => pair.Value.Count);
        var dependents = needs.SelectMany(pair => pair.Value.Select(need => (need.Name,
            Dependent: pair.Key))).ToLookup(edge => edge.Name, edge => edge.Dependent);
        var met = new Queue<string>(missing.Where(pair => pair.Value == 0).Select(pair => pair.Key));
        while (met.TryDequeue(out var name))
        {
            open.Remove(name);
            foreach (var dependent in dependents[name])
            {
                if (--missing[dependent] == 0)
                    met.Enqueue(dependent);
            }
        }

        if (open.Count > 0)
            ReportCircle(reader, steps.First(step => open.Contains(step.Spec.Name)).Spec.Name,
                name => needs[name].First(need => open.Contains(need.Name)));
    }

    private static void ReportCircle(ReadContext reader, string start, Func<string, NeedDraft> next)
    {
        var path = new List<string>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var at = start;
        for (; seen.Add(at); at = next(at).Name)
            path.Add(at);
        path = path[path.IndexOf(at)..];
        var circle = string.Join(" → ", path.Take(10).Append(path.Count > 10 ? "…" : at));
        reader.Findings.Error(next(at).At, DiagnosticCodes.Cycle, $"steps need each other: {circle}");
    }
}
