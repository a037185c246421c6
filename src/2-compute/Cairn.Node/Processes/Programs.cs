namespace Cairn.Node.Processes;

/// <summary>The programs of the machine that a task is started with.</summary>
internal static class Programs
{
    private static readonly string[] s_folders = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

    /// <summary>What tasks see as PATH.</summary>
    public static string Path { get; } = string.Join(':', s_folders);

    public static string? Find(string name) =>
        s_folders.Select(folder => System.IO.Path.Combine(folder, name)).FirstOrDefault(File.Exists);

    /// <summary>Scripts are written for bash; a machine without it runs them with sh.</summary>
    public static string Shell { get; } = Find("bash") ?? "/bin/sh";
}
