namespace Cairn.Frameworks.Engine.Tensors;

/// <summary>Which models the engine would find at a path, told from names of files alone.</summary>
public static class RepositoryContents
{
    /// <summary>The models' names, in order; one of them where the path is itself a model.</summary>
    public static IReadOnlyList<string> ModelsAt(string path) => [.. ModelFolder.Discover([path]).Keys];

    /// <summary>Whether the path is a model, and no folder of models.</summary>
    public static bool IsModel(string path) => ModelFolder.Of(path) is not null;
}
