namespace Cairn.Frameworks.Engine.Decoding;

/// <summary>
/// How many cores this process may use, counting hardware threads of one core once: they share the units that matrix products need.
/// </summary>
internal static class PhysicalCores
{
    public static int Count { get; } = Find();

    private static int Find()
    {
        var allowed = Environment.ProcessorCount;
        try
        {
            var cores = Directory.EnumerateDirectories("/sys/devices/system/cpu", "cpu*")
                .Select(cpu => Path.Combine(cpu, "topology", "thread_siblings_list")).Where(File.Exists).Select(File.ReadAllText)
                .Distinct(StringComparer.Ordinal).Count();
            return cores > 0 ? Math.Min(allowed, cores) : allowed;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return allowed;
        }
    }
}
