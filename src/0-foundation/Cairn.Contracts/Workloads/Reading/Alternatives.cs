using Cairn.Contracts.Workloads.Yaml;

namespace Cairn.Contracts.Workloads.Reading;

/// <summary>Reads <c>any_of</c> and <c>ordered</c>: each entry is the outer resources with its own fields laid over them.</summary>
internal static class Alternatives
{
    public static WorkloadSpec Read(WorkloadSpec workload, FieldValue value, bool inOrder)
    {
        var outer = workload.Resources;
        if (value.At is YamlScalar key && !value.Reader.Claim("resources.alternatives", key))
            return workload;
        if (outer.AnyOf.Count + outer.Ordered.Count > 0)
        {
            value.Error(DiagnosticCodes.Conflict,
                "alternatives are given twice; write each choice of accelerators as one entry of any_of or of ordered");
            return workload;
        }

        if (value.Node is not YamlSequence { Items.Count: > 0 })
        {
            value.Expected("a list of resources");
            return workload;
        }

        var all = value.Items(FieldValue.MaxChoices).SelectMany(item => ReadOne(workload, item, inOrder)).ToList();
        if (all.Count == 1)
            return workload with { Resources = all[0] };
        return workload with { Resources = inOrder ? outer with { Ordered = all } : outer with { AnyOf = all } };
    }

    private static IEnumerable<ResourceSpec> ReadOne(WorkloadSpec workload, FieldValue value, bool inOrder)
    {
        if (value.Mapping is not { } mapping)
        {
            value.Expected("a mapping of resources");
            return [];
        }

        // Place, price and interruption start blank, so that what is there afterwards is what the entry says of them.
        var seed = workload with { Where = new WhereSpec(), Money = new MoneySpec() };
        var read = value.Reader.InScope(() => ResourceFields.Table.Read(value.Reader, mapping, seed));
        if (!ReferenceEquals(read.Labels, seed.Labels) || !ReferenceEquals(read.Retries, seed.Retries) || read.Priority != seed.Priority)
            value.NotActedOn("labels, retries and priority hold for the whole workload; write them outside the alternatives");
        var given = read.Resources with { AnyOf = [], Ordered = [] };
        var inner = (IReadOnlyList<ResourceSpec>)[.. read.Resources.AnyOf, .. read.Resources.Ordered];
        if (read.Resources.AnyOf.Count > 0 && inOrder || read.Resources.Ordered.Count > 0 && !inOrder)
            value.Error(DiagnosticCodes.Conflict, "alternatives in an alternative must be of its kind: a set in any_of, a list in ordered");
        return (inner.Count > 0 ? inner : [given]).Select(one => one with
        {
            Regions = read.Where.Regions.Count > 0 ? read.Where.Regions : [.. read.Where.Providers.Select(provider => provider + "/*")],
            Interruptible = mapping.Find("interruptible") is null && mapping.Find("use_spot") is null ? null : read.Where.Interruptible,
            MaxPricePerHour = read.Money.MaxPricePerHour,
        });
    }
}
