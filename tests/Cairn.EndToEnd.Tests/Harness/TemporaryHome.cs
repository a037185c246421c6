namespace Cairn.EndToEnd.Tests;

/// <summary>A home folder in which no server is known, for commands that need none.</summary>
public sealed class TemporaryHome : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("cairn-e2e-").FullName;

    public TemporaryHome() => Cli = new CairnProgram(Path.Combine(_folder, "home"));

    internal CairnProgram Cli { get; }

    internal string WriteFile(string name, string text)
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllText(path, text);
        return path;
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
