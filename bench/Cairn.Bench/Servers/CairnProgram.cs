namespace Cairn.Bench.Servers;

/// <summary>Where the published program is: <c>$CAIRN_PROGRAM</c>, else what <c>./cairn</c> builds. Measured is what people run, not a debug build.</summary>
internal static class CairnProgram
{
    public static string Path { get; } = Find();

    private static string Find()
    {
        if (Environment.GetEnvironmentVariable("CAIRN_PROGRAM") is { Length: > 0 } named)
            return File.Exists(named) ? named : throw new InvalidOperationException($"CAIRN_PROGRAM names {named}, which is no file.");
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (!File.Exists(System.IO.Path.Combine(folder.FullName, "Cairn.slnx")))
                continue;
            var program = System.IO.Path.Combine(folder.FullName, "artifacts", "publish", "cairn", "cairn");
            return File.Exists(program)
                ? program
                : throw new InvalidOperationException($"{program} is missing; './cairn --version' publishes it.");
        }

        throw new InvalidOperationException("The source tree was not found; name the published program in CAIRN_PROGRAM.");
    }
}
