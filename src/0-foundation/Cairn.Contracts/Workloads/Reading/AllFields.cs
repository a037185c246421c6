namespace Cairn.Contracts.Workloads.Reading;

/// <summary>The canonical fields of every mapping, by the mapping's path. What documents and the JSON Schema are held against.</summary>
internal static class AllFields
{
    private static readonly Lazy<IReadOnlyDictionary<string, string[]>> s_canonical = new(() =>
        new SortedDictionary<string, string[]>(StringComparer.Ordinal)
    {
        [""] = [.. Names(WorkloadFields.Table), "steps", "needs"],
        ["resources"] = Names(ResourceFields.Table),
        ["resources.accelerators"] = Names(AcceleratorGrammar.Fields),
        ["where"] = Names(WhereFields.Table),
        ["where.latency"] = [.. LatencyFields.FieldNames],
        ["where.latency.from"] = [.. LatencyFields.PlaceFieldNames],
        ["money"] = Names(MoneyFields.Table),
        ["inputs"] = Names(DataFields.Table),
        ["checkpoints"] = Names(CheckpointFields.Table),
        ["retries"] = Names(RetryFields.Table),
        ["service"] = Names(ServiceFields.Table),
        ["service.readiness"] = Names(ReadinessFields.Table),
        ["service.on_demand"] = Names(ServiceFields.OnDemandTable),
        ["service.mirror"] = Names(MirrorFields.Table),
        ["service.slo"] = Names(ServiceFields.SloTable),
    });

    public static IReadOnlyDictionary<string, string[]> Canonical => s_canonical.Value;

    /// <summary>
    /// The path of the mapping that has such a field, where exactly that is what went wrong: <c>budget</c> is <c>money.budget</c>.
    /// </summary>
    public static string? PlaceOf(string field)
    {
        foreach (var (path, names) in Canonical)
        {
            if (path is not ("resources.accelerators" or "where.latency.from" or "inputs" or "service.readiness" or "service.on_demand" or "service.mirror") && names.Contains(field, StringComparer.Ordinal))
                return path.Length == 0 ? "the workload itself" : path;
        }

        return null;
    }

    private static string[] Names<T>(FieldTable<T> table) =>
        [.. table.Fields.Where(field => field.IsCanonical).Select(field => field.Name)];
}
