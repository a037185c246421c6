using Cairn.Contracts.Workloads;

namespace Cairn.Planning.Pipelines;

/// <summary>Data handed from one step to another.</summary>
/// <param name="From">Number of the step that writes it.</param>
/// <param name="To">Number of the step that reads it.</param>
internal readonly record struct Handover(int From, int To, long Bytes);

/// <summary>
/// What moves between the steps of a file. A step that has inputs naming another reads those; one that only needs another reads all its outputs.
/// An output that a step reads and that has no place of its own goes to that step and not to the control plane as well.
/// </summary>
internal static class PipelineData
{
    /// <exception cref="ArgumentException">Two steps have one name, or a step names itself or one that is not there.</exception>
    public static (WorkloadSpec[] Workloads, Handover[] Handovers) Of(WorkloadFile file)
    {
        var steps = file.Steps;
        var numbers = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var i = 0; i < steps.Count; i++)
        {
            if (!numbers.TryAdd(steps[i].Name, i))
                throw new ArgumentException($"Two steps of '{file.Name}' have the name '{steps[i].Name}'.", nameof(file));
        }

        var handovers = new List<Handover>();
        var handedOn = steps.Select(_ => new HashSet<DataSpec>(ReferenceEqualityComparer.Instance)).ToArray();
        for (var to = 0; to < steps.Count; to++)
        {
            foreach (var name in steps[to].Needs.Concat(steps[to].Workload.Inputs.Select(i => i.Step).OfType<string>()).Distinct())
            {
                if (!numbers.TryGetValue(name, out var from) || from == to)
                    throw new ArgumentException($"Step '{steps[to].Name}' of '{file.Name}' needs '{name}', which is not another step.", nameof(file));
                handovers.Add(new Handover(from, to, Moved(steps[from], steps[to], handedOn[from])));
            }
        }

        var workloads = steps.Select((step, i) => step.Workload with
        {
            Outputs = [.. step.Workload.Outputs.Where(o => o.Place is not null || !handedOn[i].Contains(o))],
        });
        return ([.. workloads], [.. handovers]);
    }

    private static long Moved(StepSpec from, StepSpec to, HashSet<DataSpec> handedOn)
    {
        var outputs = from.Workload.Outputs;
        var inputs = to.Workload.Inputs.Where(i => i.Step == from.Name).ToList();
        if (inputs.Count == 0)
        {
            handedOn.UnionWith(outputs);
            return outputs.Sum(o => Math.Max(0, o.SizeBytes));
        }

        var bytes = 0L;
        foreach (var input in inputs)
        {
            var output = outputs.FirstOrDefault(o => o.Name == input.Name)
                ?? outputs.FirstOrDefault(o => o.Path is not null && o.Path == input.Path)
                ?? (outputs.Count == 1 ? outputs[0] : null);
            if (output is not null)
                handedOn.Add(output);
            bytes += Math.Max(0, input.SizeBytes > 0 ? input.SizeBytes : output?.SizeBytes ?? 0);
        }

        return bytes;
    }
}
