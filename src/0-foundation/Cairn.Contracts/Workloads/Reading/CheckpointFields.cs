namespace Cairn.Contracts.Workloads.Reading;

internal static class CheckpointFields
{
    public static readonly FieldTable<CheckpointSpec> Table =
        new FieldTable<CheckpointSpec>("checkpoints", "checkpoints.") { Elsewhere = AllFields.PlaceOf }
        .Field("path", (c, v) => c with { Path = DataFields.RelativePath(v) })
        .Field("interval", (c, v) => c with { IntervalSeconds = v.SomeSeconds() })
        .Field("size", (c, v) => c with { SizeBytes = v.Size() });

    public static CheckpointSpec? Read(FieldValue value, CheckpointSpec? seed)
    {
        if (value.Mapping is not { } mapping)
        {
            value.Expected("a mapping such as {path: checkpoints, interval: 30m, size: 10GB}");
            return null;
        }

        var read = Table.Read(value.Reader, mapping, seed ?? new CheckpointSpec { Path = "" });
        if (read.Path.Length == 0 && mapping.Find("path") is null)
            value.Error(DiagnosticCodes.Missing, "'path' is missing, the folder that is kept across attempts");
        return read;
    }
}
