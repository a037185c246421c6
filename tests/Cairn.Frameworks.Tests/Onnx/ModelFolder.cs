namespace Cairn.Frameworks.Tests.Onnx;

/// <summary>A folder of a test's own, deleted with what is in it.</summary>
internal sealed class ModelFolder : IDisposable
{
    internal string Path { get; } = Directory.CreateTempSubdirectory("cairn-onnx-").FullName;

    internal string File(string name) => System.IO.Path.Combine(Path, name);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
